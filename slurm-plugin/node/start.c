/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "slurm-plugin/node/start.h"

#include "lib/pass.h"
#include "lib/wait.h"
#include "runner/session/message.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

enum {
	TELL_FIRST_S = 3,
	TELL_EVERY_S = 10,
	GIVE_UP_S = 900,
	BEGIN_MS = 60000, /* for the guard to start its child */
	END_MS = 5000,	  /* for session-start to end by itself, once it has made its offer */
	KILLED_MS = 1000, /* ... and when it is killed */
};

/* What the guard and its child have to say, worded before: in a copy of a program with threads only
 * what takes no lock is safe. */
struct refusals {
	struct err firn, group, space, user;
};

/*
 * fork(2) with a descriptor of the child in *@process, and the signal that its end is to raise in
 * wait(2)'s eyes; 0: none, and wait(2) does not see it. The C library does not know of the child,
 * so there the calls that it would carry out in all threads are the kernel's own.
 */
static pid_t copy(int signal, int *process)
{
	unsigned long flags = CLONE_PIDFD | (unsigned long)signal;

#ifdef __s390x__
	return (pid_t)syscall(SYS_clone, NULL, flags, process, NULL, 0);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, process, NULL, 0);
#endif
}

static void close_between(unsigned first, unsigned next)
{
	if (first < next)
		(void)syscall(SYS_close_range, first, next - 1, 0U);
}

/* Of all descriptors @keep stays; those of the standard streams become /dev/null. */
static void keep_only(const int *keep, size_t count)
{
	unsigned first = 0, next;
	int null;

	do {
		next = ~0U;
		for (size_t i = 0; i < count; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= first && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		close_between(first, next);
		first = next + 1;
	} while (next != ~0U);
	do
		null = open("/dev/null", O_RDWR);
	while (null >= 0 && null <= STDERR_FILENO);
	if (null >= 0)
		(void)close(null);
}

/* No handler of slurmstepd's runs in a copy of it. Signals stay blocked. */
static void default_signals(void)
{
	for (int signal = 1; signal < NSIG; signal++)
		if (signal != SIGKILL && signal != SIGSTOP)
			(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

/* The kernel looks at who writes, not only (since Linux 5.16) at who has opened. */
static bool enter_group(int group, uid_t uid)
{
	if (group < 0)
		return true;
	return syscall(SYS_setresuid, -1, 0, -1) == 0 && write(group, "0", 1) == 1 &&
	       syscall(SYS_setresuid, -1, uid, -1) == 0;
}

/* The working directory is lost by it: session-start goes there, as the user. */
static bool enter_space(int space, uid_t uid)
{
	return space < 0 ||
	       (syscall(SYS_setresuid, -1, 0, -1) == 0 && setns(space, CLONE_NEWNS) == 0 &&
		syscall(SYS_setresuid, -1, uid, -1) == 0);
}

/* All ids become the effective ones, which are the user's: no way leads back. */
static bool become_user(uid_t uid, gid_t gid)
{
	uid_t real, effective, saved;

	return uid != 0 && syscall(SYS_setresgid, gid, gid, gid) == 0 &&
	       syscall(SYS_setresuid, uid, uid, uid) == 0 && syscall(SYS_setuid, 0) < 0 &&
	       getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid &&
	       saved == uid && prctl(PR_GET_DUMPABLE) != 1;
}

static _Noreturn void refuse(int control, const struct err *why)
{
	(void)session_refuse(control, why);
	_exit(EXIT_FIRN_FAILED);
}

static _Noreturn void become_firn(const struct start *start, const struct refusals *refusals)
{
	const int keep[] = {start->pair[1], start->group, start->space};
	uid_t uid = geteuid();
	sigset_t none;

	keep_only(keep, COUNT_OF(keep));
	if (!enter_group(start->group, uid))
		refuse(start->pair[1], &refusals->group);
	if (!enter_space(start->space, uid))
		refuse(start->pair[1], &refusals->space);
	keep_only(keep, 1);
	/* A change of ids sets it to what fs.suid_dumpable says: the last one was just now. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || !become_user(uid, getegid()))
		refuse(start->pair[1], &refusals->user);
	(void)fcntl(start->pair[1], F_SETFD, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(start->firn, start->words, start->environment);
	refuse(start->pair[1], &refusals->firn);
}

/* Until there is something to hear of on @control, or slurmstepd does not wait any more. */
static bool hears(int control, int hand)
{
	struct pollfd ready[] = {{.fd = control, .events = POLLIN}, {.fd = hand}};

	while (poll(ready, COUNT_OF(ready), -1) < 0)
		if (errno != EINTR)
			return false;
	return ready[1].revents == 0;
}

/* Says on @hand which process it has started, then what this says. */
static _Noreturn void guard(const struct start *start, int hand, const struct refusals *refusals,
			    char *room)
{
	const int keep[] = {start->pair[0], start->pair[1], start->group, start->space, hand};
	struct pass begun = {.data = "", .size = 1, .count = 1};
	pid_t child;

	(void)prctl(PR_SET_DUMPABLE, 0);
	keep_only(keep, COUNT_OF(keep));
	default_signals();
	child = copy(SIGCHLD, &begun.fd[0]);
	if (child == 0)
		become_firn(start, refusals);
	(void)close(start->pair[1]);
	if (child < 0 || pass_send(hand, &begun, 0) < 0)
		_exit(EXIT_FIRN_FAILED);
	if (hears(start->pair[0], hand))
		(void)session_forward(start->pair[0], hand, room);
	_exit(EXIT_SUCCESS);
}

static pid_t start_guard(struct start *start, int hand[2], const struct refusals *refusals,
			 char *room, int *process)
{
	sigset_t all, before;
	pid_t child;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	child = copy(0, process);
	if (child == 0)
		guard(start, hand[1], refusals, room);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	own_close(&hand[1]);
	hand[1] = -1;
	own_close(&start->pair[1]);
	start->pair[1] = -1;
	return child;
}

/* What the guard has started. */
static int hear_of_process(int hand, int *process, struct err *err)
{
	struct pass message;
	char byte;

	if (wait_readable(hand, BEGIN_MS) <= 0 ||
	    pass_receive(hand, &byte, 1, &message, MSG_DONTWAIT) != 1 || message.count != 1)
		return err_set(err, "cannot start a process");
	*process = message.fd[0];
	return 0;
}

static int wait_for_offer(int hand, void (*waiting)(int seconds), struct session_offer *offer,
			  struct err *err)
{
	long long begin = wait_clock_ms();

	for (int tell = TELL_FIRST_S;; tell += TELL_EVERY_S) {
		int until = tell < GIVE_UP_S ? tell : GIVE_UP_S;
		long long rest = begin + until * 1000LL - wait_clock_ms();
		int result = session_receive(hand, rest > 0 ? (int)rest : 0, offer, err);

		if (result != 0)
			return result < 0 ? -1 : 0;
		if (until == GIVE_UP_S)
			break;
		waiting((int)((wait_clock_ms() - begin) / 1000));
	}
	return err_set(err, "the container was not ready within a quarter of an hour");
}

/* By its descriptor: its number may be another's by now. */
static void end_process(int process, bool at_once)
{
	if (process < 0 || (!at_once && wait_readable(process, END_MS) > 0))
		return;
	(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	(void)wait_readable(process, KILLED_MS);
}

int start_container(struct start *start, struct session_offer *offer, struct err *err)
{
	auto_free char *room = malloc(SESSION_MESSAGE_MAX);
	auto_fd child = -1, guarding = -1;
	struct refusals refusals;
	int hand[2];
	pid_t pid;
	int result;

	if (!room || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hand) < 0)
		return err_sys(err, "cannot start a process");
	(void)err_set(&refusals.firn, "'%s' cannot be executed on this node", start->firn);
	(void)err_set(&refusals.group, "the container cannot enter the job's control group");
	(void)err_set(&refusals.space, "the container cannot be made where the job's /tmp is");
	(void)err_set(&refusals.user, "cannot become the user of the job");
	pid = start_guard(start, hand, &refusals, room, &guarding);
	if (pid < 0)
		result = err_sys(err, "cannot start a process");
	else
		result = hear_of_process(hand[0], &child, err) < 0
				 ? -1
				 : wait_for_offer(hand[0], start->waiting, offer, err);
	(void)close(hand[0]);
	if (result < 0)
		(void)shutdown(start->pair[0], SHUT_RDWR);
	end_process(child, result < 0);
	end_process(guarding, result < 0);
	if (pid > 0)
		(void)waitpid(pid, NULL, WNOHANG | __WALL);
	return result;
}
