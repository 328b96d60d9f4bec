/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * private.h - between conf.c, which reads lines, and value.c, which reads values.
 *
 * conf.c has the table of keys: what each is called, of which kind its value is, and which field it
 * fills. value.c knows the kinds. A key that is set twice has its last value, but for lists, which
 * grow, and for what a site requires, which stays.
 */
#ifndef FIRN_LIB_CONF_PRIVATE_H
#define FIRN_LIB_CONF_PRIVATE_H

#include "lib/conf/conf.h"

enum { MEBIBYTE = 1 << 20 };

/* The kinds of values; value.c has what each may be, in words. */
enum value {
	VALUE_NAMES,
	VALUE_BIND,
	VALUE_DENY,
	VALUE_TEXT,
	VALUE_PATH,
	VALUE_PLACE,  /* a path with $USER and the like (lib/conf/expand.h) */
	VALUE_PLACES, /* a list of such paths, each on a line of its own */
	VALUE_HOST,   /* HOST[:PORT] */
	VALUE_URL,    /* http:// or https:// */
	VALUE_ENGINE,
	VALUE_MPI,
	VALUE_SIZE,
	VALUE_LIMIT,
	VALUE_NUMBER,
	VALUE_THREADS,
	VALUE_FLAG,
	VALUE_PIN,
	VALUE_CAGE
};

/* A row of the table. */
struct key {
	const char *section, *name;
	enum value value;
	size_t field; /* where it is in the conf, or in its registry */
	bool user;    /* it may stand in a file that a user names with --config */
};

/*
 * Put @text into the field of @key in @holder: the conf, or one of its registries. Returns 0,
 * or -1 with what it may be in @wrong, a text that stays as it is until the next call.
 */
int conf_take_value(void *holder, const struct key *key, const char *text, const char **wrong);

#endif
