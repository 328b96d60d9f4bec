/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * closure ROUNDS NAME...: how long it takes to resolve libraries of this machine, sonames or paths,
 * with all they need. Prints the middle round, the fastest, and the processor's time of one, in
 * milliseconds; how many objects and look-ups there were, and what is missing. One round more than
 * are told goes before them.
 */
#include "mpi-glue/loader/closure.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 10000 };

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int resolve(int root, char **names, bool tell)
{
	auto_closure *closure = closure_new(root, NULL);
	size_t found = 0;
	struct err err;

	for (; closure && *names; names++) {
		if (closure_add(closure, *names, NULL, NULL, &err) < 0) {
			(void)fprintf(stderr, "closure: %s\n", err.text);
			return -1;
		}
	}
	for (size_t i = 0; tell && closure && i < closure_count(closure); i++) {
		const struct closure_object *object = closure_at(closure, i);

		found += object->state == CLOSURE_FOUND;
		if (object->state == CLOSURE_MISSING || object->state == CLOSURE_BROKEN)
			printf("%s is missing or broken, for %s\n", object->name,
			       object->by ? object->by->path : "you");
	}
	if (tell && closure)
		printf("%zu objects, %zu look-ups\n", found, closure_lookups(closure));
	return closure ? 0 : -1;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free int64_t *took = NULL;
	int64_t used;

	if (rounds < 1 || rounds > ROUNDS_MAX || root < 0) {
		(void)fputs("usage: closure ROUNDS NAME...\n", stderr);
		return EXIT_FAILURE;
	}
	took = calloc((size_t)rounds, sizeof(*took));
	if (!took || resolve(root, argv + 2, true) < 0)
		return EXIT_FAILURE;
	used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < rounds; i++) {
		int64_t begin = nanoseconds(CLOCK_MONOTONIC);

		if (resolve(root, argv + 2, false) < 0)
			return EXIT_FAILURE;
		took[i] = nanoseconds(CLOCK_MONOTONIC) - begin;
	}
	used = (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / rounds;
	qsort(took, (size_t)rounds, sizeof(*took), compare);
	printf("%.3f ms in the middle, %.3f the fastest of %d; %.3f of a processor\n",
	       (double)took[rounds / 2] / 1e6, (double)took[0] / 1e6, rounds, (double)used / 1e6);
	return EXIT_SUCCESS;
}
