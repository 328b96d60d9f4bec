/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/deniable.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `firn VERB --help` writes, and its process; NULL if it cannot be started. */
static FILE *start_help(const char *verb, pid_t *pid)
{
	const char *firn = getenv("FIRN") ? getenv("FIRN") : "./firn";
	const char *const argv[] = {firn, verb, "--help", NULL};
	posix_spawn_file_actions_t files;
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, ends[1], 1);
	failed = posix_spawnp(pid, firn, &files, NULL, (char *const *)argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(ends[1]);
	if (failed)
		(void)close(ends[0]);
	return failed ? NULL : fdopen(ends[0], "r");
}

/* The word of a line "  -X, --WORD ...", cut off behind it; NULL if it is none of these. */
static const char *option_of(char *line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	char *at = line + strspn(line, " ");

	if (at == line)
		return NULL;
	if (at[0] == '-' && at[1] && at[2] == ',')
		at += 3 + strspn(at + 3, " ");
	if (strncmp(at, "--", 2) != 0 || strspn(at + 2, letters) == 0)
		return NULL;
	at += 2;
	at[strspn(at, letters)] = '\0';
	return at;
}

/* What the programs themselves call their options: the table must keep up with them. */
static void every_option_can_be_denied(const char *verb)
{
	auto_free char *line = NULL;
	size_t room = 0, count = 0;
	pid_t pid;
	FILE *help = start_help(verb, &pid);
	int status = -1;

	while (help && getline(&line, &room, help) > 0) {
		const char *word = option_of(line);

		if (!word)
			continue;
		count++;
		if (strcmp(word, "help") == 0)
			ok(!deniable(word), "--help of %s cannot be denied", verb);
		else
			ok(deniable(word), "--%s of %s can be denied", word, verb);
	}
	if (help)
		(void)fclose(help);
	ok(help && waitpid(pid, &status, 0) == pid && status == 0 && count > 5,
	   "%s tells its options", verb);
	ok(deniable(verb) && deniable_is_verb(verb), "%s itself can be denied", verb);
}

int main(void)
{
	static const char *const verbs[] = {"exec", "run",    "shell", "build",
					    "pull", "verify", "cache"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		every_option_can_be_denied(verbs[i]);
	ok(!deniable("") && !deniable("session-start") && !deniable("control-fd") &&
		   !deniable("-B"),
	   "what is no word of users cannot");
	ok(!deniable_is_verb("root"), "an option is no verb");
	return done_testing();
}
