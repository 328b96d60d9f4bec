/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/prompt.h"

#include <stdio.h>
#include <string.h>

void prompt_name(const char *path, char out[PROMPT_NAME_SIZE])
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	size_t end = strlen(path), begin, dot, len;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/'; begin--)
		;
	for (dot = end; dot > begin && path[dot - 1] != '.'; dot--)
		;
	/* ".sqfs" is an end, ".12" of a directory called debian.12 may be a version. */
	if (dot > begin + 1 && strcspn(path + dot, "0123456789/") >= end - dot)
		end = dot - 1;
	(void)snprintf(out, PROMPT_NAME_SIZE, end > begin ? "firn %.*s" : "firn%.*s",
		       (int)(end - begin), path + begin);
	len = strlen(out);
	for (size_t i = strlen("firn "); i < len; i++)
		if (!strchr(plain, out[i]))
			out[i] = '_';
}

char *prompt_make(const char *path, const char *old, bool is_root)
{
	char name[PROMPT_NAME_SIZE];
	char *out = NULL;

	prompt_name(path, name);
	if (!old || !*old)
		old = is_root ? "# " : "$ ";
	return asprintf(&out, "[%s] %s", name, old) < 0 ? NULL : out;
}
