/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * advice.h - what to say of a word that is another program's, not ours.
 *
 * Tables of words that people bring from elsewhere, each with what to do here instead: a clause
 * that stands behind "; " or ": " of an error, lower case, without a full stop.
 */
#ifndef FIRN_LIB_CLI_ADVICE_H
#define FIRN_LIB_CLI_ADVICE_H

#include <stddef.h>

struct advice {
	const char *word, *advice;
};

/* The advice on @len bytes of @word, the whole of an entry's, of @count; or NULL. */
const char *advice_find(const struct advice *table, size_t count, const char *word, size_t len);

#endif
