/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * json.h - read a JSON document (RFC 8259) from a stranger.
 *
 * A small reader for what the runner must know of an image; see
 * doc/decisions/json.md for why it links no JSON library. Strict: duplicate keys,
 * lone surrogates, NUL in strings, bad UTF-8, depth above 32, more than 262144
 * values and anything behind the document are refused, so that no two readers of
 * a document can see different things in it. How long a document may be says who
 * reads the file.
 *
 * A document becomes a tree of values, each an allocation of its own: it is for
 * configurations, not for bulk. Whoever walks it checks types, for a stranger has
 * chosen them; json_get() and json_text() take anything and answer NULL.
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

/* One value. All of it belongs to the document, which json_free() of its root frees. */
struct json {
	enum json_type type;
	/*
	 * Strings: UTF-8 without escapes, no NUL in it. Numbers: as written, for 2^63 and 1e999 are
	 * JSON and fit no type of C. Else NULL.
	 */
	char *text;
	char *key;           /* in an object */
	struct json *child;  /* first one of arrays and objects */
	struct json *next;   /* sibling */
};

/*
 * Read @size bytes of @text, which need no NUL. Returns 0 and a new document in @out, or -1 with
 * @err, "no valid JSON at byte N: ..."; the caller says of which file. @out is then as it was.
 */
int json_parse(const char *text, size_t size, struct json **out, struct err *err);

/* Free @json with all below it and behind it; NULL is fine. auto_json does it at the block's end.
 */
void json_free(struct json *json);
void json_freep(struct json **json);
#define auto_json CLEANUP(json_freep) struct json

/*
 * The member @key of an object, or NULL; also when @json is NULL or no object. Case matters. What
 * comes back is the document's, and JSON null is a value: ask its type.
 */
const struct json *json_get(const struct json *json, const char *key);
/* The text of a string, or NULL for anything else. */
const char *json_text(const struct json *json);

/*
 * Write @text as a JSON string, quotes included. Bytes that are no UTF-8 become the text "\xHH", as
 * builder/source/json_name.h has it, and control characters of both kinds (lib/text.h) an escape:
 * it may be shown on a terminal.
 */
void json_write_string(FILE *out, const char *text);

#endif
