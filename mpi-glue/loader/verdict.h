/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * verdict.h - whether libraries of the host can go into an image, and which of them.
 *
 * It decides from two closures (closure.h) and touches nothing. The rules, for each library that
 * the host's closure has:
 *
 * - It was asked for, or is of the same MPI: the host's. An MPI library, its own helpers (PMIx and
 *   UCX are such) and its plugins know each other's insides.
 * - It is of the libc: the image's. The image's programs are started by the image's loader, and a
 *   libc is one loader and one family (GLIBC_PRIVATE), from one side.
 * - The image has none: the host's.
 * - Both have versions (DT_VERDEF): the host's if it defines all that the image's does and more,
 *   for then it serves both; else the image's.
 * - Neither has versions: the host's if the number in its file's name is higher, as in
 *   libevent-2.1.so.7.0.1; else the image's.
 *
 * Then every version that an injected object needs (DT_VERNEED, but weak ones) must be defined by
 * whoever was taken, as the loader will check when the program starts: "version `GLIBC_2.34' not
 * found". What fails there is refused here, before the start, in words that say what to do.
 *
 * With the host's libc (--glibc=host) its whole family is taken, or nothing: every member that the
 * image has must be on the host, and the host's libc must define all that the image's does.
 *
 * A library that has plugins which go in with it must be asked for by name, lest they meet another
 * one: libfabric, libibverbs. What was asked for first is what the refusal is about.
 *
 * Nothing goes into an image of musl: there, not even the names of the versions are known.
 */
#ifndef FIRN_MPI_GLUE_LOADER_VERDICT_H
#define FIRN_MPI_GLUE_LOADER_VERDICT_H

#include "lib/err.h"
#include "lib/own.h"
#include "mpi-glue/loader/closure.h"

#include <stdbool.h>
#include <stddef.h>

enum { VERDICT_WHY_SIZE = 200 };

/* Whose it is. */
enum verdict_take {
	VERDICT_HOST,	 /* the host's goes in */
	VERDICT_IMAGE,	 /* the image's stays */
	VERDICT_REFUSED, /* the host's cannot be loaded there */
};

/*
 * What was decided about one library. The objects are the closures'. @why is one line without a
 * name or a full stop: "the image has none". The versions are the highest of their kind that the
 * host's object needs, with the prefix ("GLIBC_2.34"), or NULL; GLIBC_ is of the libc's family,
 * the others of libstdc++ and libgcc_s. @lacks is the version for which it is refused, and
 * @lacks_of the library that should define it; NULL if it is not for that. They live as long as the
 * host's closure.
 */
struct verdict_line {
	const char *name;		    /* its soname, or what it was asked for by */
	const struct closure_object *host;  /* found or not */
	const struct closure_object *image; /* NULL where it has none, or nobody looked */
	enum verdict_take take;
	bool asked;    /* a start of the host's closure */
	bool required; /* without it there is nothing: see struct verdict_wish */
	char why[VERDICT_WHY_SIZE];
	const char *glibc, *glibcxx, *cxxabi, *gcc;
	const char *lacks, *lacks_of;
};

/*
 * @required is how many starts of the host's closure must work, from the first on: the library
 * itself; 0 means all. Later ones are plugins: one that cannot be loaded is refused alone, and a
 * library needed only by such ones goes in for nothing. @host_libc is --glibc=host; then the host's
 * closure must have been made with the libc's family.
 */
struct verdict_wish {
	size_t required;
	bool host_libc;
};

struct verdict_table {
	struct verdict_line *line; /* in the order and with the numbers of the host's closure */
	size_t count;
	size_t injected, refused; /* of them */
	bool no;		  /* a required one was refused */
	char text[ERR_TEXT_SIZE]; /* then why, for people; else empty */
};

/*
 * Decide about all of @host's objects in the image of @image, which was made with the libc's
 * family. Names are added to both closures: those of @host to @image, and of the libc's to @host if
 * it is wanted. Returns 0 with a new verdict in @out, a refusal included, or -1 for what closure.h
 * returns -1 for.
 */
int verdict_make(struct closure *host, struct closure *image, const struct verdict_wish *wish,
		 struct verdict_table **out, struct err *err);

/* Free @verdict; NULL is fine. The closures are not its own. */
void verdict_free(struct verdict_table *verdict);
void verdict_freep(struct verdict_table **verdict);
#define auto_verdict CLEANUP(verdict_freep) struct verdict_table

/* The line about @name, or NULL. */
const struct verdict_line *verdict_find(const struct verdict_table *verdict, const char *name);

/* How much of the program's MPI the host's library must be. */
enum verdict_abi {
	VERDICT_MAJOR,	 /* the same soname */
	VERDICT_FULL,	 /* and not older, by the number in the file's name: else a warning */
	VERDICT_SYMBOLS, /* and it has each MPI_ and PMPI_ function that the program calls */
};

/* What verdict_abi() may answer, beside -1. */
enum { VERDICT_ABI_GOOD, VERDICT_ABI_DOUBTFUL, VERDICT_ABI_BAD };

/*
 * Whether library @of of closure @host can stand for the one that @program of closure @image was
 * linked to. What else @program needs is asked as well, for a library may call MPI, too. Without a
 * program (NULL) the image's library of that soname is compared, and its functions are not.
 *
 * Returns one of the above, with a line in @why (VERDICT_WHY_SIZE bytes) unless it is good; -1 if a
 * file cannot be read.
 */
int verdict_abi(enum verdict_abi key, const struct closure *host, const struct closure_object *of,
		struct closure *image, const struct closure_object *program, char *why,
		struct err *err);

/*
 * The highest version of @prefix ("GLIBC_") among those that @elf needs, or defines; NULL for none.
 * Numbers count by value: GLIBC_2.34 is above GLIBC_2.4. What is no number is none: GLIBC_PRIVATE.
 */
const char *verdict_highest_needed(const struct elf *elf, const char *prefix);
const char *verdict_highest_defined(const struct elf *elf, const char *prefix);

/* Compare dotted numbers, "2.34" and "2.4": below, equal to or above 0, as strcmp(3). */
int verdict_compare_numbers(const char *a, const char *b);

/*
 * Write the number in the name of the file of @object of @closure to @out, of @size bytes:
 * "40.30.4" for libmpi.so.40, a symlink to libmpi.so.40.30.4. An empty string if it has none, or
 * cannot be opened.
 */
void verdict_file_number(const struct closure *closure, const struct closure_object *object,
			 char *out, size_t size);

#endif
