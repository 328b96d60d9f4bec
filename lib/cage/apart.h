/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * apart.h - take a stranger's bytes apart in a process of its own, in the cage.
 *
 * For programs that go on afterwards with all that a user may do. The work gets the memory as
 * it is (fork), the descriptors that are named, and nothing else: no terminal, no environment
 * (in which tokens stand), no other descriptor, and what the cage leaves (cage.h). It gives back
 * bytes of a fixed number, or an error; whoever gets them judges them like any other bytes of
 * a stranger's. It ends with who started it.
 */
#ifndef FIRN_LIB_CAGE_APART_H
#define FIRN_LIB_CAGE_APART_H

#include "lib/cage/cage.h"

enum { APART_KEEP_MAX = 24 };

struct apart {
	const char *what; /* the name of what is read, for messages */
	struct cage cage;

	/* In the process: fills @out, or fails. */
	int (*work)(void *arg, void *out, struct err *err);
	void *arg;
	void *out; /* @size bytes, for both sides */
	size_t size;

	int keep[APART_KEEP_MAX]; /* descriptors that the work has; -1: none */
	size_t keep_count;
	bool speaks; /* its warnings are said here, a line at a time, with @what in front */

	/* Here, all optional. When it has begun; and as often as @asks can be read, until false. */
	void (*begun)(void *arg);
	int asks;
	bool (*answer)(void *arg);
};

/*
 * Do it. Called with one thread, before others are there. Returns 0 and the bytes in @out, or
 * -1: the work's own error, or a line that says how the process ended.
 */
int apart_run(struct apart *apart, struct err *err);

/* A test's: called in the cage before the work; -1 instead of it. */
int apart_test_hook(const struct apart *apart, struct err *err) __attribute__((weak));

#endif
