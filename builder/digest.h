/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * digest.h - sha256, and its text "sha256:<64 hex digits>".
 *
 * A digest names files in the cache and in layouts, so a text from outside
 * becomes one only through digest_take(), which knows the grammar (OCI
 * image-spec descriptor.md "Digests", sha256 only).
 */
#ifndef FIRN_DIGEST_H
#define FIRN_DIGEST_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_TEXT_SIZE = 72, DIGEST_SIZE = 32 };

struct digest {
	char text[DIGEST_TEXT_SIZE]; /* "" when unset */
};

/* Take @text over if it is a sha256 digest in lower case. Returns 0, or -1. */
int digest_take(struct digest *digest, const char *text);
bool digest_is(const struct digest *a, const struct digest *b);
/* The 64 hex digits alone. */
const char *digest_hex(const struct digest *digest);

/* A sum in the making. NULL without memory. */
struct sha256;
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *sum);
void sha256_freep(struct sha256 **sum);
#define auto_sha256 CLEANUP(sha256_freep) struct sha256
void sha256_add(struct sha256 *sum, const void *data, size_t size);
/* The sum of all that was added; the sum starts anew. */
void sha256_end_bytes(struct sha256 *sum, uint8_t out[DIGEST_SIZE]);
void sha256_end(struct sha256 *sum, struct digest *out);

/* The digest of @size bytes. */
int digest_of(const void *data, size_t size, struct digest *out, struct err *err);
/* The digest of the first @size bytes of @fd, read with pread. @name is for messages. */
int digest_of_file(int fd, uint64_t size, const char *name, struct digest *out, struct err *err);

#endif
