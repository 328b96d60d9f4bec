/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/named.h"

#include "lib/file.h"
#include "lib/own.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its standard output is @out; what it says stays the caller's to see. */
static int start(const char *firn, const char *name, int out, pid_t *child)
{
	char *const words[] = {(char *)firn,  (char *)"images", (char *)"--",
			       (char *)"get", (char *)name,	NULL};
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawn(child, firn, &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static bool is_done(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int named_get(const char *firn, const char *name, char **out, struct err *err)
{
	auto_free char *text = NULL;
	auto_fd end = -1, write_end = -1;
	int ends[2], failed, result;
	pid_t child;
	size_t size;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot look for the image '%s'", name);
	end = ends[0];
	write_end = ends[1];
	failed = start(firn, name, write_end, &child);
	if (failed)
		return err_code(err, failed, "cannot execute '%s'", firn);
	own_close(&write_end);
	write_end = -1;
	result = file_read_stream(end, firn, PATH_MAX, &text, &size, err);
	own_close(&end);
	end = -1;
	if (!is_done(child))
		return err_set(err, "there is no file '%s', and no such image can be had", name);
	if (result < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	if (text[0] != '/')
		return err_set(err, "'%s' does not tell the path of '%s'", firn, name);
	*out = take_ptr(&text);
	return 0;
}
