/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * edits.h - what of the host goes into a container, as one list.
 *
 * Whoever finds something out (profile.h, inject.h) says so by edits, each with its reason, and
 * whoever builds the container carries them out; neither knows of the other. An edit is plain
 * data: nothing is looked at when it is made.
 *
 * Files come first to last, as the steps of a plan do (lib/plan.h), and are all read-only. The
 * changes of the environment are done in their order as well, to what the image and the user made
 * of it; who comes into the container later does the same ones, by a text that lies in there.
 */
#ifndef FIRN_MPI_GLUE_EDITS_H
#define FIRN_MPI_GLUE_EDITS_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A directory in memory that is the container's own, and in it what the edits say. */
#define EDITS_PLACE "/.firn/injected"
enum { EDITS_PLACE_SIZE = 1 << 20 }; /* bytes it may take, which no files' contents are of */
#define EDITS_LIBRARIES EDITS_PLACE "/lib"
#define EDITS_ENVIRONMENT EDITS_PLACE "/environment"

enum edit_kind {
	EDIT_OVER,	/* the host's file @source in the place of the image's @target */
	EDIT_LIBRARY,	/* the host's file @source at @target, which is in EDITS_LIBRARIES */
	EDIT_DIRECTORY, /* the host's directory @source at @target */
	/* Of variable @target, in a list whose items colons part: */
	EDIT_SET,     /* @source, whatever it was */
	EDIT_PREPEND, /* @source before what is there */
	EDIT_APPEND,  /* @source behind it */
	EDIT_UNSET,   /* it is gone; @source is NULL */
};

/* One of them. Its strings are the list's. */
struct edit {
	enum edit_kind kind;
	char *source, *target;
	char *why; /* a line for people, without a full stop; NULL where none is known any more */
};

struct edits {
	struct edit *item;
	size_t count;
};

/*
 * Append an edit. Strings are copied; @source may be NULL for EDIT_UNSET, and @why may be. Returns
 * 0, or -1 with @err: no memory, or a variable whose name is empty or has a '=' in it.
 */
int edits_add(struct edits *edits, enum edit_kind kind, const char *source, const char *target,
	      const char *why, struct err *err);

/* Append copies of all of @more. */
int edits_join(struct edits *edits, const struct edits *more, struct err *err);

/* Free all, and leave an empty list. auto_edits does it at the end of the block. */
void edits_clear(struct edits *edits);
#define auto_edits CLEANUP(edits_clear) struct edits

/* Whether it is about the environment, rather than a file. */
bool edit_is_of_environment(const struct edit *edit);

/*
 * Make a new environment of @env (a list as environ, or NULL) and the edits of it: a list of its
 * own in @out, lib/words.h. Each name is there once. Returns 0, or -1 without memory.
 */
int edits_apply(const struct edits *edits, char *const *env, char ***out, struct err *err);

/*
 * The edits of the environment as a text, a line each, new in @out; and the other way round, for
 * who comes later: what is in @text, which is changed, is appended to @edits. A line that is none
 * is an error.
 */
int edits_write(const struct edits *edits, char **out, struct err *err);
int edits_read(struct edits *edits, char *text, struct err *err);

/* Write a line for each, with its reason behind a '#', as --print-plan shows it. */
void edits_print(const struct edits *edits, FILE *out);

#endif
