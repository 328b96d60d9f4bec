/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * closure.h - all that the dynamic loader would load for a program or library, and from where.
 *
 * A side is a directory that stands for "/": the host's own, or an image's. The loader's search is
 * done again there, with nothing executed and no name leading out of it (lib/path.h), so that an
 * image of strangers can be asked before it runs. The rules are glibc's (ld.so(8), and what 2.31
 * to 2.41 do):
 *
 * - A name with a slash is that file. Any other is looked for, in this order, by
 * - DT_RPATH of who needs it, of who needs that one, and so on, and of the program; not if who
 *   needs it has a DT_RUNPATH, and that of no object that has one;
 * - LD_LIBRARY_PATH as given;
 * - DT_RUNPATH of who needs it, alone;
 * - /etc/ld.so.cache, but no system folder's for an object linked with -z nodefaultlib;
 * - the system's folders, as the distribution's glibc was built: by where its libc.so.6 is;
 *
 * with $ORIGIN, $LIB and $PLATFORM, and in each folder glibc-hwcaps/ first. A name that an object
 * was asked for by, or calls itself (DT_SONAME), is not searched for again; nor is one file loaded
 * twice. Objects come breadth first. Where it differs: relative folders are left out, for a working
 * directory is not known; so are folders of hardware capabilities before 2.33 (tls/, haswell/).
 *
 * musl's loader has other rules. Its objects are told as such, and not followed.
 */
#ifndef FIRN_MPI_GLUE_LOADER_CLOSURE_H
#define FIRN_MPI_GLUE_LOADER_CLOSURE_H

#include "lib/err.h"
#include "lib/own.h"
#include "mpi-glue/loader/elf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct closure;

enum closure_state {
	CLOSURE_FOUND,
	CLOSURE_MISSING, /* nowhere; the loader would give up */
	CLOSURE_BROKEN,	 /* there, but no object, or one of another machine; likewise */
	CLOSURE_LIBC,	 /* of the loader's own family, which was not wanted: not looked for */
	CLOSURE_MUSL,	 /* there, and built for musl: what it needs is not looked for */
};

/* One object. All of it is the closure's, and stays until its end. */
struct closure_object {
	enum closure_state state;
	size_t number;	  /* closure_at() has it under this one */
	const char *name; /* what it was asked for by first: a soname, or a path */
	const char *path; /* below the side's root, as the loader would say it; NULL if missing */
	const char *why;  /* of a broken one: a line in the words of struct err; else NULL */
	const struct closure_object *by; /* who needed it first; NULL for a start */
	const struct elf *elf;		 /* NULL unless found, or of musl */
	dev_t device;			 /* with inode: which file it is, whatever its path */
	ino_t inode;
};

struct closure_options {
	const char *library_path; /* what LD_LIBRARY_PATH has; NULL for nothing. Copied */
	uint16_t machine;	  /* EM_... of elf(5) that is meant; 0 for this machine */
	bool libc;		  /* look for the loader's family, too: see closure_is_libc() */
};

/*
 * An empty closure in the directory @root, which is borrowed for as long as it lives: O_PATH is
 * enough. NULL when there is no memory. @options may be NULL for none.
 */
struct closure *closure_new(int root, const struct closure_options *options);

/* Free @closure with its objects; NULL is fine. */
void closure_free(struct closure *closure);
void closure_freep(struct closure **closure);
#define auto_closure CLEANUP(closure_freep) struct closure

/*
 * Add @name, a soname to be searched for or an absolute path, and all it needs. The first program
 * added is the one whose DT_RPATH counts for all. @by is an object of this closure that would call
 * dlopen(3), or NULL. Tells the object in @out (NULL is fine), be it found, missing or whatever;
 * one that was there already is that one. Returns 0, or -1 when there is no memory, or the search
 * has gone beyond all measure (65536 look-ups, 4096 objects that need 262144, 64 MiB of names, 1024
 * folders in one search path).
 */
int closure_add(struct closure *closure, const char *name, const struct closure_object *by,
		const struct closure_object **out, struct err *err);

/* The objects in the order of their loading: closure_at() for 0 to closure_count() - 1. */
size_t closure_count(const struct closure *closure);
const struct closure_object *closure_at(const struct closure *closure, size_t number);

/*
 * Who answers to @name, a soname or path, in what was added so far; NULL for nobody. One that is
 * missing or of the libc answers as well, unless another is there.
 */
const struct closure_object *closure_find(const struct closure *closure, const char *name);

/*
 * Whether soname @name is of the dynamic loader's own family: glibc's ld-linux, libc, libm,
 * libpthread and so on. They talk to each other about their insides (version GLIBC_PRIVATE), so
 * they are taken from one side all together, or not at all.
 */
bool closure_is_libc(const char *name);

/* Sonames of the family that a glibc of @machine may have, NULL at the end; the loader first. */
const char *const *closure_libc_names(uint16_t machine);

/*
 * Open object @object of @closure for reading, to ask it for more. Returns a descriptor, or -1: it
 * is missing, or another file by now.
 */
int closure_open(const struct closure *closure, const struct closure_object *object,
		 struct err *err);

/* How many times a name was looked for in a folder: the measure of the work done. */
size_t closure_lookups(const struct closure *closure);

#endif
