/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * closure_private.h - a side, as closure.c (who needs what) and closure_search.c (where it is)
 * share it.
 *
 * closure.c keeps the objects, in order of loading, and the names they answer to. It asks
 * closure_search() for a name that nobody answers to, and makes an object of what comes back.
 *
 * closure_search.c keeps folders. They are remembered by name, each looked at once: a search in
 * one that is not there costs no system call, and only one with a glibc-hwcaps in it is looked at
 * for each level of the processor. A search path is a list of folders by number, made from its text
 * when it is first needed; most objects' never are.
 *
 * Nothing here is for others: closure.h says what they may rely on.
 */
#ifndef FIRN_MPI_GLUE_LOADER_CLOSURE_PRIVATE_H
#define FIRN_MPI_GLUE_LOADER_CLOSURE_PRIVATE_H

#include "lib/words.h"
#include "mpi-glue/loader/closure.h"
#include "mpi-glue/loader/ldcache.h"

#include <sys/stat.h>

/*
 * A folder of a search path. Its name is absolute and has no slash at its end; it is owned.
 */
struct closure_folder {
	char *path;
	bool exists, has_levels;
};

/*
 * A search path: folders by number, in an array of its own. Not ready is one that was not made
 * from its text yet.
 */
struct closure_path {
	size_t *folder;
	size_t count;
	bool ready;
};

/*
 * An object as we know it: what others see of it, which is the first member, so that there is one
 * pointer for both; and what only the search wants: what $ORIGIN stands for (owned; NULL for an
 * object without a file), and the folders of its DT_RUNPATH, or else of its DT_RPATH.
 */
struct closure_node {
	struct closure_object object;
	char *origin;
	struct closure_path path;
};

/*
 * First what closure.c keeps: the side; the objects and, by name, their numbers (those without a
 * file apart, for somebody else may find one); strings that are in no object's file; the program
 * whose DT_RPATH counts for all; and how much was done, for the limits.
 *
 * Then what closure_search.c keeps: the folders and their numbers by name; LD_LIBRARY_PATH's and
 * the system's; what $LIB stands for, NULL before the system's are known; and the cache, whose text
 * is NULL when there is none.
 */
struct closure {
	int root;
	uint16_t machine;
	bool libc;
	struct closure_node **node;
	size_t count;
	struct names found, missing;
	struct words texts;
	struct closure_node *program;
	size_t lookups, needs, bytes;

	struct closure_folder *folder;
	size_t folders;
	struct names folder_names;
	char *library_path;
	struct closure_path library, system;
	const char *lib;
	char *cache_text;
	struct ldcache cache;
	bool cache_ready;
};

/*
 * What a search has found: @known is the object that this file is already. If it is NULL, @path is
 * where the file is, and @elf what it says; if that is NULL, too, it is broken, and @why says how.
 * @real is a program's path without symlinks, or NULL where it does not matter.
 */
struct closure_hit {
	char *path;
	struct stat stat;
	struct closure_node *known;
	struct elf *elf;
	char *why;
	char *real;
};

/* Free all that is in @hit. What is taken from it by take_ptr() stays with who took it. */
void closure_hit_clear(struct closure_hit *hit);
#define auto_hit CLEANUP(closure_hit_clear) struct closure_hit

/*
 * Search for @name, a soname or path, needed by @by, which may be NULL for a start.
 * Returns 1 with @hit, 0 for nothing, or -1 without memory or beyond the limits.
 */
int closure_search(struct closure *closure, const char *name, struct closure_node *by,
		   struct closure_hit *hit, struct err *err);

/* Free what the search keeps in @closure. */
void closure_search_clear(struct closure *closure);

/* Fill @err: there is no memory for it (errno says so). Returns -1. */
int closure_no_memory(struct err *err);

#endif
