/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * loader.h - what a system's own dynamic loader says, beside what we do.
 *
 * Asked for a trace, the loader tells what it would load for a program, which is not started. That
 * of a root is asked within, in a user namespace, where it has its own cache and default folders;
 * or from outside, with the folders told to both.
 */
#ifndef FIRN_TESTS_UNIT_MPI_GLUE_LOADER_LOADER_H
#define FIRN_TESTS_UNIT_MPI_GLUE_LOADER_LOADER_H

#include "mpi-glue/loader/closure.h"

#if defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#define TRIPLET "aarch64-linux-gnu"
#else
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define TRIPLET "x86_64-linux-gnu"
#endif

enum loader_way { LOADER_HERE, LOADER_WITHIN, LOADER_OUTSIDE };

/* One system, and how its loader is asked. */
struct loader_side {
	const char *root;
	int fd; /* of the root */
	enum loader_way way;
	const char *library_path; /* LD_LIBRARY_PATH, as the system has it; NULL for none */
};

/*
 * How many things closure.h and the loader see differently for @program, each told as a line of
 * TAP; -1 when there is nothing to compare: it is no program, or the loader cannot be asked.
 */
int loader_compare(const struct loader_side *side, const char *program);

/*
 * Whether the loader of @side, asked from outside, finds all libraries and versions for the object
 * @path of the host, when folder @injected comes before its own. -1 if it cannot be asked.
 */
int loader_loads(const struct loader_side *side, const char *injected, const char *path);

#endif
