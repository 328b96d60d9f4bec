/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * json.h - read a JSON document (RFC 8259) from a stranger.
 *
 * A small reader for what the runner must know of an image; see
 * doc/decisions/json.md for why it links no JSON library. Strict: duplicate keys,
 * lone surrogates, NUL in strings, bad UTF-8, depth above 32 and anything behind
 * the document are refused.
 */
#ifndef FIRN_LIB_JSON_H
#define FIRN_LIB_JSON_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stdio.h>

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type type;
	char *text;          /* strings: UTF-8; numbers: as written */
	char *key;           /* in an object */
	struct json *child;  /* first one of arrays and objects */
	struct json *next;   /* sibling */
};

int json_parse(const char *text, size_t size, struct json **out, struct err *err);
void json_free(struct json *json);
void json_freep(struct json **json);
#define auto_json CLEANUP(json_freep) struct json

/* The member @key of an object, or NULL; also when @json is NULL or no object. */
const struct json *json_get(const struct json *json, const char *key);
/* The text of a string, or NULL for anything else. */
const char *json_text(const struct json *json);

/* Write @text as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD. */
void json_write_string(FILE *out, const char *text);

#endif
