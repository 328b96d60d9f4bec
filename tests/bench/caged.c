/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* caged RUNS: how long a process takes to enter the mount server's cage, in microseconds, a line
 * for each. */
#include "runner/server/cage.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int enter(int out)
{
	struct server_options options = {.cache_size = 12 << 20,
					 .metadata_size = 16 << 20,
					 .require_cage = true};
	struct cage cage = server_cage(&options);
	struct err err;
	double took = now_us();

	if (cage_enter(&cage, &err) < 0 || cage_close(&cage, &err) < 0)
		return 1;
	took = now_us() - took;
	return write(out, &took, sizeof(took)) != sizeof(took);
}

int main(int argc, char **argv)
{
	int pipes[2];

	if (pipe(pipes) < 0)
		return 1;
	for (int runs = argc > 1 ? atoi(argv[1]) : 1; runs > 0; runs--) {
		double took;
		pid_t child = fork();

		if (child == 0)
			_exit(enter(pipes[1]));
		if (child < 0 || waitpid(child, NULL, 0) < 0 ||
		    read(pipes[0], &took, sizeof(took)) != sizeof(took))
			return 1;
		printf("%.1f\n", took);
		(void)fflush(stdout);
	}
	return 0;
}
