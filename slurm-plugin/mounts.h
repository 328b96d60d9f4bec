/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * mounts.h - the list of --container-mounts, as words of firn.
 *
 * Items with commas in between, "\," for a comma in a name; blanks before one say nothing.
 * An item is SRC[:DST[:FLAG[+FLAG...]]] as with `firn --bind` ("\:" for a colon, "\\" for a
 * backslash), or tmpfs:DST for an empty file system in memory. Flags are those of pyxis that
 * firn can keep, and sqsh, image-src=DIR and file for what images are shown as; the others are
 * errors, for a mount that is not as it was asked for is one.
 */
#ifndef FIRN_SLURM_PLUGIN_MOUNTS_H
#define FIRN_SLURM_PLUGIN_MOUNTS_H

#include "lib/err.h"

/*
 * Take the item at @at, which moves behind it. Returns 1 with a new word in @word ("--bind=..."
 * or "--tmpfs=..."), 0 at the end of the list, or -1 with @err naming what is wrong.
 */
int mounts_next(const char **at, char **word, struct err *err);

/* Whether all items are understood: 0, or -1. */
int mounts_check(const char *list, struct err *err);

/* Of a word of mounts_next(), what a bind is of, "SRC[:DST[:WORD,...]]"; NULL for a tmpfs. */
const char *mounts_bind_of(const char *word);

/*
 * Field @number of "SRC:DST:...", from 0 on, new and without its backslashes; NULL: it is empty or
 * not there.
 */
char *mounts_field(const char *bind, int number);

#endif
