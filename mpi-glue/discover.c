/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/discover.h"

#include "lib/own.h"
#include "paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>

enum { SECONDS_MAX = 3 }; /* a little longer than anybody waits */

#define HELPER "firn-topology"
#define INSTALLED PKGLIBEXECDIR "/" HELPER

/* Beside this program, where it is if nothing is installed. */
static int beside(char *out, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", out, size - sizeof(HELPER));
	char *slash;

	if (len <= 0 || (size_t)len >= size - sizeof(HELPER))
		return -1;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	memcpy(slash + 1, HELPER, sizeof(HELPER)); /* there is room: see above */
	return 0;
}

/* Without close_range(2), Linux 5.9. */
static void close_listed(void)
{
	auto_dir *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > STDERR_FILENO && atoi(entry->d_name) != dirfd(dir))
			(void)close(atoi(entry->d_name));
}

__attribute__((noreturn)) static void become_helper(int out, const char *path)
{
	static char *const argv[] = {(char *)HELPER, NULL};
	static char *const env[] = {(char *)"LC_ALL=C", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* Its own group: no signal for the step reaches it, nor the other way round. */
	(void)setpgid(0, 0);
	if (null < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || chdir("/") < 0)
		_exit(EXIT_CANNOT_EXECUTE);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) < 0)
		close_listed();
	(void)signal(SIGALRM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* It outlives execve(2), alarm(2): nobody has to wait for it or kill it. */
	(void)alarm(SECONDS_MAX);
	if (*path)
		(void)execve(path, argv, env);
	(void)execve(INSTALLED, argv, env);
	_exit(EXIT_NOT_FOUND);
}

int discover_start(struct err *err)
{
	char path[PATH_MAX];
	int pair[2];
	pid_t child;

	if (beside(path, sizeof(path)) < 0)
		path[0] = '\0';
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, "cannot start " HELPER);
	child = fork();
	if (child == 0)
		become_helper(pair[1], path);
	(void)close(pair[1]);
	if (child > 0)
		return pair[0];
	(void)err_sys(err, "cannot start " HELPER);
	(void)close(pair[0]);
	return -1;
}
