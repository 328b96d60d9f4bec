/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * bounded SECONDS MIB COMMAND...: run a command that must be done in that time and memory.
 *
 * The exit status is the command's, 128 + N when signal N ended it, 254 when it took more
 * than MIB mebibytes (resident, at their peak), 253 when it was not done after SECONDS.
 * The memory that the last of its processes took counts, not their sum.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOO_LONG = 253, TOO_MUCH = 254, NO_COMMAND = 127 };

static pid_t child;
static volatile sig_atomic_t late;

static void on_alarm(int number)
{
	(void)number;
	late = 1;
	(void)kill(child, SIGKILL);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;

	if (argc < 4) {
		fprintf(stderr, "usage: bounded SECONDS MIB COMMAND...\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		(void)execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(NO_COMMAND);
	}
	(void)signal(SIGALRM, on_alarm);
	(void)alarm((unsigned int)atoi(argv[1]));
	while (wait4(child, &status, 0, &usage) < 0)
		;
	if (late) {
		fprintf(stderr, "bounded: not done after %s s\n", argv[1]);
		return TOO_LONG;
	}
	if (usage.ru_maxrss > atol(argv[2]) * 1024) {
		fprintf(stderr, "bounded: took %ld KiB\n", usage.ru_maxrss);
		return TOO_MUCH;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
