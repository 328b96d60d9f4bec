/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/deniable.h"

#include "lib/own.h"

#include <string.h>

static const char *const verbs[] = {
	"exec", "run", "shell", "build", "pull", "verify", "cache", "images",
};

static const char *const options[] = {
	/* the runner's */
	"bind", "mount", "tmpfs", "env", "env-file", "prepend-path", "append-path", "clean-env",
	"no-home", "home", "cwd",
	"contain", "writable-tmpfs", "overlay", "overlay-any", "root", "frozen", "private",
	"session", "mpi", "glibc", "engine", "config", "print-plan", "verbose", "quiet",
	/* the builder's */
	"platform", "compress", "block-size", "jobs", "all-root", "force", "no-cache", "rebuild",
	"from", "keep", "older", "offline", "json",
};

static bool is_in(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

bool deniable_is_verb(const char *word)
{
	return is_in(verbs, COUNT_OF(verbs), word);
}

bool deniable(const char *word)
{
	return deniable_is_verb(word) || is_in(options, COUNT_OF(options), word);
}
