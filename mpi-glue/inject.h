/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inject.h - put the host's MPI into an image: which files, where, and whether that can work.
 *
 * In two parts, as a start goes. inject_prepare() looks at this machine alone: which MPIs the
 * profiles (profile.h) know and find here, and which directories the image must have a place for,
 * as the mount server wants to know before it starts. inject_resolve() looks into the finished root
 * as well: which MPI the program is linked to, what the loader would load for it, and whether the
 * host's can be loaded there (loader/verdict.h). What comes of it are edits (edits.h):
 *
 *   a library that goes in    lies in a directory of ours, which LD_LIBRARY_PATH names first: that
 *                             beats the image's default folders and a program's DT_RUNPATH. And it
 *                             is bound over the image's file of that soname as the program's loader
 *                             would find it, which beats DT_RPATH and does without environment
 *   its plugins and data      their directories, at the same path, for there it looks for them
 *   the libc, if it is to be  is bound over the image's, member by member, the loader included
 *
 * Nothing of either side is executed.
 */
#ifndef FIRN_MPI_GLUE_INJECT_H
#define FIRN_MPI_GLUE_INJECT_H

#include "lib/err.h"
#include "lib/own.h"
#include "mpi-glue/edits.h"

#include <stdbool.h>

struct inject;

/* What is asked for; borrowed until inject_prepare() returns. */
struct inject_wish {
	const char *profile; /* as profiles_read() takes it; NULL: of what the program needs */
	bool host_libc;	     /* --glibc=host */
};

/*
 * Find what this machine has. LD_LIBRARY_PATH of the caller counts, as modules set it. Returns 0
 * and a new @out, or -1 with the cause: no profile, or none whose library is here.
 */
int inject_prepare(const struct inject_wish *wish, struct inject **out, struct err *err);
void inject_free(struct inject *inject);
void inject_freep(struct inject **inject);
#define auto_inject CLEANUP(inject_freep) struct inject

/* Directories that may be bound at the same path, as a list (lib/words.h) of @inject's; or NULL. */
char *const *inject_places(const struct inject *inject);

/* A root as the program will see it, where nothing runs yet. All is borrowed. */
struct inject_root {
	int fd;			  /* O_PATH */
	const char *program;	  /* absolute path of what will run; NULL if that is not known */
	const char *library_path; /* LD_LIBRARY_PATH there; NULL for none */
	const char *image;	  /* for messages */
};

/*
 * Decide, and append what is to be done to @edits. Returns 0, or -1 with a line for people: why it
 * cannot work, and what to do instead. What is doubtful is a warning (lib/log.h).
 */
int inject_resolve(struct inject *inject, const struct inject_root *root, struct edits *edits,
		   struct err *err);

#endif
