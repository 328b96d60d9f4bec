/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * burst COUNT COMMAND [ARG...]: start COMMAND that many times from one barrier.
 *
 * COMMAND must print the monotonic clock in nanoseconds when its main() is
 * reached, and stay until its standard input ends (work stamp). Prints the
 * microseconds from the barrier to the last of them, then waits for the end of
 * its own standard input before it lets them go: so that somebody can look.
 * A process finds its number in PMI_RANK.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int go[2], stay[2], stamps[2];

static void child(int rank, char **command)
{
	char text[16];
	char byte;

	(void)snprintf(text, sizeof(text), "%d", rank);
	(void)setenv("PMI_RANK", text, 1);
	(void)close(go[1]);
	(void)close(stay[1]);
	(void)close(stamps[0]);
	(void)dup2(stay[0], STDIN_FILENO);
	(void)dup2(stamps[1], STDOUT_FILENO);
	(void)close(stay[0]);
	(void)close(stamps[1]);
	/* The barrier: the end of the pipe. */
	(void)!read(go[0], &byte, 1);
	(void)close(go[0]);
	(void)execvp(command[0], command);
	_exit(127);
}

/* The latest of @count times; 0 if some never came. */
static double last_stamp(int count)
{
	FILE *from = fdopen(stamps[0], "r");
	double latest = 0, time;
	int seen = 0;

	for (; from && seen < count && fscanf(from, "%lf", &time) == 1; seen++)
		latest = time > latest ? time : latest;
	return seen == count ? latest : 0;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	double begin, latest;
	char byte;

	if (count < 1 || pipe(go) < 0 || pipe(stay) < 0 || pipe(stamps) < 0)
		return 2;
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			child(i, argv + 2);
	(void)close(go[0]);
	(void)close(stay[0]);
	(void)close(stamps[1]);
	/* Let all of them reach the barrier. */
	(void)poll(NULL, 0, 100);
	begin = now_ns();
	(void)close(go[1]);
	latest = last_stamp(count);
	printf("%.0f\n", latest > 0 ? (latest - begin) / 1e3 : -1);
	(void)fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1);
	(void)close(stay[1]);
	while (wait(NULL) > 0)
		;
	return latest > 0 ? 0 : 1;
}
