/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/detach.h"

#include "lib/own.h"
#include "runner/title.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STACK_SIZE = 64 << 10 };

static pid_t started[DETACH_STARTED_MAX];

static int compare(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

static int close_range_of(unsigned first, unsigned last)
{
	if (first > last)
		return 0;
	return (int)syscall(SYS_close_range, first, last, 0);
}

/* The gaps between what stays, which is sorted. */
static int close_gaps(const struct detach *detach)
{
	unsigned first = STDERR_FILENO + 1;

	for (size_t i = 0; i < detach->keep_count; i++) {
		if (detach->keep[i] <= STDERR_FILENO)
			continue;
		if (close_range_of(first, (unsigned)detach->keep[i] - 1) < 0)
			return -1;
		first = (unsigned)detach->keep[i] + 1;
	}
	return close_range_of(first, ~0u);
}

static bool stays(const struct detach *detach, int fd)
{
	for (size_t i = 0; i < detach->keep_count; i++)
		if (detach->keep[i] == fd)
			return true;
	return fd <= STDERR_FILENO;
}

/* Without close_range(2) (Linux 5.9): what /proc lists, by and by. */
static void close_listed(const struct detach *detach)
{
	auto_dir *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (!stays(detach, fd) && fd != dirfd(dir))
			(void)close(fd);
	}
}

static void close_others(struct detach *detach)
{
	qsort(detach->keep, detach->keep_count, sizeof(*detach->keep), compare);
	if (close_gaps(detach) < 0)
		close_listed(detach);
}

/*
 * SIGPIPE and SIGXFSZ are among those ignored: the server says a line on the
 * program's standard error, which may be a pipe that nobody reads, or a file
 * that is as large as it may become.
 */
static void set_signals(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGCHLD};
	sigset_t none;

	for (int number = 1; number < SIGRTMIN; number++)
		(void)signal(number, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		(void)signal(faults[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of the terminal, the job's pipes or its signal settings stays. */
static void leave(struct detach *detach)
{
	static const struct rlimit no_core = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null >= 0 && null != fd && !(fd == STDERR_FILENO && detach->log))
			(void)dup2(null, fd);
	close_others(detach);
	if (chdir("/") < 0)
		_exit(1);
	set_signals();
	/* Nobody of the same user traces it or reads its memory, from inside the container or out. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
}

/* Runs in the launcher's memory while the launcher waits; its child is nobody's child at once. */
static int middle_main(void *arg)
{
	struct detach *detach = arg;
	pid_t child = fork();

	if (child == 0) {
		title_set(detach->name);
		leave(detach);
		_exit(detach->main(detach->arg));
	}
	for (size_t i = 0; child > 0 && i < COUNT_OF(started); i++)
		if (started[i] == 0) {
			started[i] = child;
			break;
		}
	return child < 0 ? errno : 0;
}

int detach_start(struct detach *detach, struct err *err)
{
	auto_free char *stack = malloc(STACK_SIZE);
	int status = 0;
	pid_t middle;

	if (!stack)
		return err_sys(err, "cannot %s", detach->aim);
	/* No signal at its end: the program must not find one pending. */
	middle = clone(middle_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, detach);
	if (middle < 0)
		return err_sys(err, "cannot %s", detach->aim);
	while (waitpid(middle, &status, __WALL) < 0)
		if (errno != EINTR)
			return err_sys(err, "cannot %s", detach->aim);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_code(err, WEXITSTATUS(status), "cannot %s", detach->aim);
	return 0;
}

pid_t detach_started(size_t i)
{
	return i < COUNT_OF(started) ? started[i] : 0;
}
