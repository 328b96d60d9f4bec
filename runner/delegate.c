/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/delegate.h"

#include "lib/cli/called.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/own.h"

#include <errno.h>
#include <limits.h>

#define PROGRAM "firn-build"

/* Where this program itself is, so that one installed or built elsewhere finds its own. */
static int own_folder(char *out, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", out, size);
	char *slash;

	if (len <= 0 || (size_t)len >= size)
		return -1;
	out[len] = 0;
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	slash[1] = 0;
	return 0;
}

int delegate(const char *verb, int argc, char **argv)
{
	char path[PATH_MAX + sizeof(PROGRAM)];
	char **words = calloc((size_t)argc + 3, sizeof(*words));

	if (!words || own_folder(path, PATH_MAX) < 0) {
		log_error("cannot find '" PROGRAM "' beside this program");
		free(words);
		return EXIT_FIRN_FAILED;
	}
	memcpy(path + strlen(path), PROGRAM, sizeof(PROGRAM));
	/* By what name it was called says how to end (lib/cli/called.h). */
	words[0] = called_as_apptainer(program_invocation_name) ? program_invocation_name : path;
	words[1] = (char *)verb;
	memcpy(words + 2, argv, (size_t)argc * sizeof(*words));
	(void)execv(path, words);
	log_error("cannot execute '%s': %s", path, strerror(errno));
	free(words);
	return EXIT_FIRN_FAILED;
}
