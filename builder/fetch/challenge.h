/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * challenge.h - what a registry asks for when it answers 401.
 *
 * WWW-Authenticate, RFC 9110 section 11.6.1: challenges in a row, each a scheme
 * with parameters, values as tokens or quoted strings. Known are Bearer (the
 * distribution spec's token authentication) and Basic; Bearer comes first.
 */
#ifndef FIRN_BUILDER_FETCH_CHALLENGE_H
#define FIRN_BUILDER_FETCH_CHALLENGE_H

#include <stdbool.h>

/* From worse to better. */
enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

enum { CHALLENGE_TEXT_SIZE = 1024 };

/* The challenge to be answered; texts are "" where it does not say. */
struct challenge {
	enum challenge_scheme scheme;
	char realm[CHALLENGE_TEXT_SIZE]; /* Bearer: a URL */
	char service[CHALLENGE_TEXT_SIZE];
	char scope[CHALLENGE_TEXT_SIZE];
};

/*
 * Take the best challenge of one header's value into @challenge, which holds what
 * other headers said before (all zero at first). Parts that cannot be read end the
 * header; values that are too long count as absent.
 */
void challenge_take(struct challenge *challenge, const char *header);

#endif
