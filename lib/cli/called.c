/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/called.h"

#include <string.h>

bool called_as_apptainer(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	return strcmp(name, "apptainer") == 0 || strcmp(name, "singularity") == 0;
}

int called_status(const char *name, int status)
{
	return status != 0 && called_as_apptainer(name) ? EXIT_APPTAINER_FAILED : status;
}
