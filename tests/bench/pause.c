/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pause SECONDS DIRECTORY: look up names that are not there, each a question to the mount server,
 * and print a line for each that took over 0.2 ms: when it began (CLOCK_MONOTONIC) and how
 * long it took, in microseconds. A question that is answered with anything but "no" ends it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	double end = now_us() + (argc > 2 ? atof(argv[1]) * 1e6 : 0);
	double begin;

	for (unsigned long i = 0; (begin = now_us()) < end; i++) {
		char path[4096];
		struct stat ignored;
		double took;

		(void)snprintf(path, sizeof(path), "%s/%lu", argv[2], i);
		if (stat(path, &ignored) == 0 || errno != ENOENT) {
			perror(path);
			return 1;
		}
		took = now_us() - begin;
		if (took > 200)
			printf("%.0f %.0f\n", begin, took);
	}
	return 0;
}
