/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "slurm-plugin/start.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TELL_FIRST_S = 3, TELL_EVERY_S = 10, GIVE_UP_S = 900, EXIT_NO_GROUP = 124 };

static void close_all_but(int keep)
{
	if (keep > 3)
		(void)syscall(SYS_close_range, 3U, (unsigned)keep - 1, 0U);
	(void)syscall(SYS_close_range, (unsigned)keep + 1, ~0U, 0U);
}

/* The kernel looks at who writes, not only (since Linux 5.16) at who has opened. */
static void enter_group(int group)
{
	uid_t uid = geteuid();

	if (group >= 0 && (seteuid(0) < 0 || write(group, "0", 1) != 1 || seteuid(uid) < 0))
		_exit(EXIT_NO_GROUP);
}

/*
 * All ids become the effective ones, which are the user's: no way leads back. Nothing
 * that belongs to the user was touched until then. Only calls that are safe in a child
 * of a program with threads.
 */
static _Noreturn void become(const char *firn, char *const *words, char *const *environment,
			     const char *cwd, int control)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	sigset_t none;
	int null;

	if (uid == 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
	    setuid(0) == 0)
		_exit(EXIT_FIRN_FAILED);
	(void)prctl(PR_SET_DUMPABLE, 1);
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	close_all_but(control);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int signal = 1; signal < NSIG; signal++)
		if (signal != SIGKILL && signal != SIGSTOP)
			(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	if (cwd && chdir(cwd) < 0)
		(void)!chdir("/");
	(void)fcntl(control, F_SETFD, 0);
	(void)execve(firn, words, environment);
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

static int wait_for_offer(int control, void (*waiting)(int seconds), struct session_offer *offer,
			  struct err *err)
{
	for (int seconds = 0, step = TELL_FIRST_S; seconds < GIVE_UP_S; step = TELL_EVERY_S) {
		int result = session_receive(control, step * 1000, offer, err);

		if (result != 0)
			return result < 0 ? -1 : 0;
		seconds += step;
		waiting(seconds);
	}
	return err_set(err, "the container was not ready within a quarter of an hour");
}

int start_container(const char *firn, char *const *words, char *const *environment, const char *cwd,
		    int group, int pair[2], void (*waiting)(int seconds), struct session_offer *offer,
		    struct err *err)
{
	pid_t child = fork();
	int result, status;

	if (child < 0)
		return err_sys(err, "cannot start a process");
	if (child == 0) {
		enter_group(group);
		become(firn, words, environment, cwd, pair[1]);
	}
	(void)close(pair[1]);
	pair[1] = -1;
	result = wait_for_offer(pair[0], waiting, offer, err);
	if (result < 0)
		(void)kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (result < 0 && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == EXIT_NOT_FOUND || WEXITSTATUS(status) == EXIT_CANNOT_EXECUTE))
		return err_set(err, "'%s' cannot be executed on this node", firn);
	if (result < 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_GROUP)
		return err_set(err, "the container cannot enter the job's control group");
	return result;
}
