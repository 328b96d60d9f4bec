/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/advice.h"

#include <string.h>

const char *advice_find(const struct advice *table, size_t count, const char *word, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(table[i].word) == len && strncmp(table[i].word, word, len) == 0)
			return table[i].advice;
	return NULL;
}
