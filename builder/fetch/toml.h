/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * toml.h - the words of a TOML file (toml.io, v1.0.0), as far as registries.conf(5) has them.
 *
 * What stands where, and what it means, is the reader's (registries_conf.c). An error names the
 * file and the line. Nothing is allocated.
 */
#ifndef FIRN_BUILDER_FETCH_TOML_H
#define FIRN_BUILDER_FETCH_TOML_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { TOML_WORD_MAX = 512 }; /* bytes of a key or a string, with its NUL */

/* Between the parts of a key: no key has it, as TOML has no control characters. */
#define TOML_DOT '\001'

/* A text that is read from its begin to its end, with a NUL behind. */
struct toml {
	const char *at, *path;
	int line;
	char key[TOML_WORD_MAX]; /* of the value that is read, from the top: tables, too */
	size_t key_len;
};

/* Fill @err with @what, and where. Returns -1. */
int toml_wrong(const struct toml *toml, const char *what, struct err *err);

/* Blanks and a comment; the ends of lines as well; or what is nothing else up to the next one. */
void toml_skip_blanks(struct toml *toml);
void toml_skip_lines(struct toml *toml);
int toml_end_line(struct toml *toml, struct err *err);

/*
 * The string in quotes that begins here, without its escapes, behind the @len bytes of @out, of
 * TOML_WORD_MAX: of one line, with the escapes that names need.
 */
int toml_read_string(struct toml *toml, char *out, size_t *len, struct err *err);
/* Any string, of one line or several, that nobody wants. */
int toml_skip_string(struct toml *toml, struct err *err);

/* A key or the name of a table, bare, quoted or dotted, to the end of toml->key, with its dots as
 * TOML_DOT. */
int toml_read_key(struct toml *toml, struct err *err);
/* Back to what the key was when it had @len bytes. */
void toml_cut_key(struct toml *toml, size_t len);

#endif
