/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/delegate.h"

#include "lib/cli/called.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Returns only if that cannot be, with @err. */
static int become(const char *verb, int argc, char **argv, struct err *err)
{
	char path[PATH_MAX + sizeof(PROGRAM)];
	auto_free char **words = calloc((size_t)argc + 3, sizeof(*words));

	if (!words || own_folder(path, PATH_MAX) < 0)
		return err_set(err, "cannot find '" PROGRAM "' beside this program");
	memcpy(path + strlen(path), PROGRAM, sizeof(PROGRAM));
	/* By what name it was called says how to end (lib/cli/called.h). */
	words[0] = called_as_apptainer(program_invocation_name) ? program_invocation_name : path;
	words[1] = (char *)verb;
	memcpy(words + 2, argv, (size_t)argc * sizeof(*words));
	(void)execv(path, words);
	return err_sys(err, "cannot execute '%s'", path);
}

int delegate(const char *verb, int argc, char **argv)
{
	struct err err;

	(void)become(verb, argc, argv, &err);
	log_error("%s", err.text);
	return EXIT_FIRN_FAILED;
}

/* The child's side. */
static void become_told(int out, pid_t parent, const char *verb, int argc, char **argv)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err err;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FIRN_FAILED);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		(void)err_sys(&err, "cannot start '" PROGRAM "'");
	else
		(void)become(verb, argc, argv, &err);
	log_error("%s", err.text);
	_exit(EXIT_FIRN_FAILED);
}

/* Whether it ended well. A caller that ignores SIGCHLD keeps its status from us otherwise. */
static bool is_done(pid_t child)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(child, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int delegate_read(const char *verb, int argc, char **argv, char *out, size_t size, struct err *err)
{
	void (*old)(int) = signal(SIGCHLD, SIG_DFL);
	auto_fd end = -1, write_end = -1;
	pid_t parent = getpid(), child;
	size_t len = 0;
	ssize_t got = 0;
	int ends[2];
	bool done;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot start '" PROGRAM "'");
	end = ends[0];
	write_end = ends[1];
	child = fork();
	if (child == 0)
		become_told(write_end, parent, verb, argc, argv);
	if (child < 0)
		return err_sys(err, "cannot start '" PROGRAM "'");
	own_close(&write_end);
	write_end = -1;
	while (len + 1 < size &&
	       ((got = read(end, out + len, size - len - 1)) > 0 || (got < 0 && errno == EINTR)))
		len += got > 0 ? (size_t)got : 0;
	own_close(&end);
	end = -1;
	done = is_done(child);
	(void)signal(SIGCHLD, old);
	if (!done)
		return 1;
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return *out == '/' ? 0 : err_set(err, "'" PROGRAM "' does not tell the image's path");
}
