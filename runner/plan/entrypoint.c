/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/entrypoint.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/own.h"

static char *take_variable(const char *name)
{
	const char *value = getenv(name);
	char *copy = value ? strdup(value) : NULL;

	(void)unsetenv(name);
	return copy;
}

int entrypoint_main(int argc, char **argv)
{
	auto_free char *words = take_variable(ENTRYPOINT_WORDS);
	auto_free char *command = take_variable(ENTRYPOINT_COMMAND);
	auto_free char **joined = NULL;
	size_t count = 0;

	if (!words || !command) {
		log_error("%s is for tasks of a batch system", ENTRYPOINT_NAME);
		return EXIT_FIRN_FAILED;
	}
	joined = calloc(strlen(words) + 2 + (size_t)argc, sizeof(*joined));
	if (!joined) {
		log_error("cannot run the image's entrypoint: %s", strerror(errno));
		return EXIT_FIRN_FAILED;
	}
	for (char *at = words, *word; (word = strsep(&at, "\n"));)
		joined[count++] = word;
	joined[count++] = command;
	for (int i = 1; i < argc; i++)
		joined[count++] = argv[i];
	(void)execvp(joined[0], joined);
	log_error("cannot execute the image's entrypoint '%s': %s", joined[0], strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}
