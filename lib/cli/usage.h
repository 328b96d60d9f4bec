/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * usage.h - how a verb's help looks, and which word may have been meant.
 *
 * Every help fits a terminal of 80 columns: an option and what its value is called stand on
 * the left, what it does beside it or, where there is no room, below, wrapped. Options begin
 * in the seventh column or behind their letter, examples in the fifth: completions and tests
 * read them there.
 */
#ifndef FIRN_LIB_CLI_USAGE_H
#define FIRN_LIB_CLI_USAGE_H

#include <stddef.h>
#include <stdio.h>

/*
 * One option: "-@letter, --@name @value    @help". @letter 0: none; @value NULL: it takes none.
 * Words of @help stand apart by one blank; it has no newline. NULL: nothing is told of it.
 */
void usage_option(FILE *out, char letter, const char *name, const char *value, const char *help);

/* A heading and lines of commands, each as it is typed. @example ends with NULL; none: nothing. */
void usage_examples(FILE *out, const char *const *example);

/*
 * The word among some that is closest to a mistyped one, if it is close: as many letters
 * wrong, missing, added or swapped as make a quarter of the word, but at least one and at most
 * three; or all but the end of it is there. Start with {.word = ..., .len = ...}, try each; then
 * @best is one of those tried, or NULL. Of two equally close ones the first is kept.
 */
struct nearest {
	const char *word; /* what was typed, without dashes; need not end behind its bytes */
	size_t len;	  /* bytes of it */
	const char *best; /* borrowed from whoever tried it */
	size_t distance;  /* of @best */
};

void nearest_try(struct nearest *nearest, const char *candidate);

#endif
