/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cage.h - give up all that reading an image does not need.
 *
 * Whoever takes a stranger's image apart enters the cage before the first byte.
 * What it holds stays usable: descriptors, memory, threads that were started. From
 * then on it opens nothing, starts nothing, and reaches no other process:
 * no capabilities, limits (memory, descriptors, files' sizes, no core; processes where it starts no
 * threads: the kernel counts all of a user's), Landlock without any right (landlock(7)), and a list
 * of system calls (seccomp(2)).
 *
 * In two parts, with the threads started between them: Landlock holds for the
 * calling thread and those it starts, and the list has no call that starts one.
 */
#ifndef FIRN_LIB_CAGE_CAGE_H
#define FIRN_LIB_CAGE_CAGE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

struct cage {
	size_t memory;	/* bytes of address space that it may take, RLIMIT_AS; 0: as many as now */
	size_t data;	/* bytes of memory of its own that can be written, RLIMIT_DATA; 0: as now */
	size_t length;	/* bytes that a file may get by it, RLIMIT_FSIZE, if it writes; 0: as now */
	size_t files;	/* descriptors that it may have, RLIMIT_NOFILE; 0: few */
	bool threads;	/* it starts more of them, by clone(2), which is listed; else none */
	bool writes;    /* to files that are open; else to none, RLIMIT_FSIZE */
	bool require;	/* Landlock and the filter must be there; else they are if they can, and
			   log_info() tells where the kernel refuses one that it has */
	const int *call; /* numbers of system calls ... */
	size_t count;    /* ... at most SECCOMP_CALLS_MAX (seccomp.h) */
};

/* Called with one thread. Sets no_new_privs. */
int cage_enter(const struct cage *cage, struct err *err);
/* The threads are there: close the door. */
int cage_close(const struct cage *cage, struct err *err);

/*
 * The cage of who has its image open, in one thread, and does no more than to read it and to
 * write to what is open, with @memory bytes.
 */
struct cage cage_of_reader(size_t memory, bool require);
/* To enter it and close the door at once. */
int cage_read_only(size_t memory, bool require, struct err *err);

/* What of all this the kernel lacks, for messages: "Landlock", "seccomp", both; NULL: nothing. */
const char *cage_lacks(void);

/* Whether this program was built with a sanitizer, whose own calls leave the cage open. */
bool cage_is_sanitized(void);

/* Landlock's version in this kernel, 0 where it is missing or switched off. */
int cage_landlock(void);

/* Give up all capabilities but the numbers in the mask @keep, of those that are there. */
int cage_drop_capabilities(unsigned long long keep, struct err *err);

#endif
