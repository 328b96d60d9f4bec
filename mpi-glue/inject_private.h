/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inject_private.h - what inject.c (which MPI, and whether it fits) and inject_files.c (which files
 * come of that) share.
 *
 * A candidate is a profile whose library is on this machine. Of those one is chosen, as soon as the
 * program is known, and its plugins are looked for then; their folders were listed before, without
 * a look into the files.
 */
#ifndef FIRN_MPI_GLUE_INJECT_PRIVATE_H
#define FIRN_MPI_GLUE_INJECT_PRIVATE_H

#include "lib/words.h"
#include "mpi-glue/inject.h"
#include "mpi-glue/loader/closure.h"
#include "mpi-glue/loader/verdict.h"
#include "mpi-glue/profile.h"

/*
 * A profile, and what of it is here. @closure is the host's, with the library and what it needs;
 * @library is of it. @folder is the real one of its file, for $LIBDIR. @plugins are files, and
 * @places the directories of plugins and data, each there once.
 */
struct candidate {
	const struct profile *profile; /* the inject's */
	struct closure *closure;
	const struct closure_object *library;
	char *folder;
	struct words plugins, places;
};

struct inject {
	int host; /* O_PATH of the host's "/" */
	bool host_libc, named;
	struct profiles *profiles;
	struct candidate *candidate;
	size_t count;
	struct words places; /* of all candidates */
};

/* What was decided. @wanted is the soname that the program knows the library by, or NULL. */
struct decision {
	const struct candidate *candidate;
	struct closure *image;
	const struct closure_object *program; /* NULL: it is none that the loader reads */
	const char *wanted;
	const struct verdict_table *verdict;
	const struct inject_root *root;
	bool host_libc;
};

/* Fill plugins and places of @candidate, whose library is known. Returns 0, or -1 without memory.
 */
int candidate_find_files(struct candidate *candidate, struct err *err);

/* Whether there is a file for glob @pattern on the host. */
bool candidate_has(const char *pattern);

/* Append the edits that @decision comes to. Returns 0, or -1 with @err. */
int decision_tell(const struct decision *decision, struct edits *edits, struct err *err);

#endif
