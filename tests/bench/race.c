/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * race RUNS COMMAND [ARG...] [--- COMMAND [ARG...]]...
 *
 * Time whole commands, in turn: A B C A B C ... Two rounds warm up, RUNS count.
 * Prints a line for each counted run: case number, wall time and CPU time of the
 * command and its children, in microseconds; status 1 if a command fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASES_MAX = 32, WARM_UP = 2, PAUSE_NS = 2000000 };

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double time_us(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static int run(char **argv, double *wall, double *cpu)
{
	double begin = now_us();
	struct rusage usage;
	int status;
	pid_t child = vfork();

	if (child == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0)
		return -1;
	*wall = now_us() - begin;
	*cpu = time_us(usage.ru_utime) + time_us(usage.ru_stime);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	static const struct timespec pause = {0, PAUSE_NS};
	char **command[CASES_MAX] = {argv + 2};
	int count = 1;
	int runs = argc > 2 ? atoi(argv[1]) : 0;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "---") != 0)
			continue;
		argv[i] = NULL;
		if (count < CASES_MAX)
			command[count++] = argv + i + 1;
	}
	for (int i = -WARM_UP; i < runs; i++) {
		for (int n = 0; n < count; n++) {
			double wall, cpu;

			if (run(command[n], &wall, &cpu) < 0) {
				fprintf(stderr, "race: case %d (%s) failed\n", n, command[n][0]);
				return 1;
			}
			if (i >= 0)
				printf("%d %.1f %.1f\n", n, wall, cpu);
			/* Servers end a moment after their program. */
			(void)nanosleep(&pause, NULL);
		}
	}
	return runs < 1;
}
