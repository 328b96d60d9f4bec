/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/detach.h"

#include "lib/cage/close.h"
#include "lib/own.h"
#include "runner/mount/title.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STACK_SIZE = 256 << 10 };

static pid_t started[DETACH_STARTED_MAX];

void detach_close_others(int *keep, size_t count)
{
	if (close_others(STDERR_FILENO + 1, keep, count) < 0)
		_exit(1);
}

/*
 * Blocked, not ignored: one call for all 64, and what was ignored or handled
 * before does not matter. By the kernel's own call: the C library keeps two of the
 * real-time signals out of every set.
 */
static void block_signals(void)
{
	unsigned long long all = ~0ull;

	/* Who ignores it would not hear of its children. */
	(void)signal(SIGCHLD, SIG_DFL);
#ifdef __SANITIZE_ADDRESS__ /* which tells of a fault in its handler */
	all &= ~(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGABRT - 1));
#endif
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
}

void detach_leave(struct detach *detach)
{
	static const struct rlimit no_core = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null >= 0 && null != fd && !(fd == STDERR_FILENO && detach->log))
			(void)dup2(null, fd);
	detach_close_others(detach->keep, detach->keep_count);
	if (chdir("/") < 0)
		_exit(1);
	title_set(detach->name);
	/* Nobody of the same user traces it or reads its memory, from inside the container or out.
	 */
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
		/* Nothing of the terminal, the job's pipes or its signal settings stays. */
		block_signals();
		if (detach->early)
			detach->early(detach);
		detach_leave(detach);
		_exit(detach->main(detach->arg));
	}
	for (size_t i = 0; child > 0 && i < COUNT_OF(started); i++)
		if (started[i] == 0) {
			started[i] = child;
			break;
		}
	return child < 0 ? errno : 0;
}

/*
 * The stack of the process, which keeps it, and of its workers: with a page below
 * that faults. In the launcher it is gone when the launcher becomes the program.
 */
static char *new_stack(void)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	char *stack = mmap(NULL, STACK_SIZE + guard, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED || mprotect(stack, guard, PROT_NONE) < 0)
		return NULL;
	return stack + guard;
}

int detach_start(struct detach *detach, struct err *err)
{
	char *stack = new_stack();
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
