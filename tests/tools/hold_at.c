/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * hold_at [-s] N COMMAND...: run COMMAND to its Nth system call and hold it there.
 *
 * Those before its next execve(2) are counted, where the launcher becomes another
 * program. With -s it is the first grandchild that is held, the supervisor of firn, and the
 * launcher goes on. "held PID" is printed; at the end of the standard input all are
 * killed. Status 0; or 3 if there are fewer system calls, and "ended" with their number
 * is printed.
 * COMMAND reads from /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NOT_REACHED = 3,
	ALWAYS = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL,
	FORKS = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE,
};

static void start(char **command)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	(void)raise(SIGSTOP);
	(void)execvp(command[0], command);
	_exit(127);
}

/* What stopped it: a PTRACE_EVENT_*, 0 for a system call, -1 for its end, -2 for nothing to care
 * for. */
static int next(pid_t victim, bool calls, int *signal)
{
	int status;

	if (ptrace(calls ? PTRACE_SYSCALL : PTRACE_CONT, victim, NULL, (long)*signal) < 0 ||
	    waitpid(victim, &status, __WALL) < 0 || !WIFSTOPPED(status))
		return -1;
	*signal = 0;
	if (status >> 16)
		return status >> 16;
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		return 0;
	*signal = WSTOPSIG(status);
	return -2;
}

/* Go on with the child that @parent just began, and let the parent go. */
static pid_t follow(pid_t parent)
{
	unsigned long child = 0;

	if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &child) < 0 ||
	    waitpid((pid_t)child, NULL, __WALL) < 0 ||
	    ptrace(PTRACE_DETACH, parent, NULL, NULL) < 0)
		return -1;
	return (pid_t)child;
}

/* The grandchild of @pid, stopped before its first instruction; -1 if there is none. */
static pid_t find_server(pid_t pid)
{
	for (int generation = 0, signal = 0; pid > 0 && generation < 2;) {
		int event = next(pid, false, &signal);

		if (event == -1)
			return -1;
		if (event != PTRACE_EVENT_FORK && event != PTRACE_EVENT_VFORK &&
		    event != PTRACE_EVENT_CLONE)
			continue;
		pid = follow(pid);
		generation++;
	}
	return pid;
}

/* Let @victim come to system call @wanted. Returns the number of calls it began. */
static long reach(pid_t victim, long wanted)
{
	long stops = 0; /* two for each call: when it begins, and when it ends */

	for (int signal = 0;;) {
		int event = next(victim, true, &signal);

		if (event == -1 || event == PTRACE_EVENT_EXEC)
			return stops / 2;
		if (event == 0 && ++stops == 2 * wanted - 1)
			return wanted;
	}
}

int main(int argc, char **argv)
{
	bool server = argc > 1 && strcmp(argv[1], "-s") == 0;
	char **words = argv + 1 + server;
	pid_t launcher, victim;
	long wanted, calls = 0;
	int signal = 0;
	bool held;
	char byte;

	wanted = argc < 3 + server ? 0 : atol(words[0]);
	if (wanted < 1)
		return 2;
	launcher = fork();
	if (launcher == 0)
		start(words + 1);
	if (launcher < 0 || waitpid(launcher, NULL, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, launcher, NULL, ALWAYS | PTRACE_O_TRACEEXEC) < 0 ||
	    next(launcher, false, &signal) != PTRACE_EVENT_EXEC)
		return 1;
	victim = launcher;
	if (server) {
		(void)ptrace(PTRACE_SETOPTIONS, launcher, NULL, ALWAYS | FORKS);
		victim = find_server(launcher);
		if (victim > 0)
			(void)ptrace(PTRACE_SETOPTIONS, victim, NULL, ALWAYS);
	}
	if (victim > 0)
		calls = reach(victim, wanted);
	held = calls == wanted;
	if (!held)
		printf("ended %ld\n", calls);
	if (held) {
		printf("held %d\n", (int)victim);
		(void)fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
		(void)kill(victim, SIGKILL);
	}
	(void)kill(launcher, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	return held ? 0 : NOT_REACHED;
}
