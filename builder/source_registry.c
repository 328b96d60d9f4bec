/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source.h"

int source_open_registry(const char *name, const struct source_options *options,
			 struct source **out, struct err *err)
{
	(void)options, (void)out;
	return err_set(err, "cannot fetch '%s': not yet", name);
}
