/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * digest.h - sha256, and its text "sha256:<64 hex digits>"; and sha512, where others use it.
 *
 * A digest names files in the cache and in layouts, so a text from outside
 * becomes one only through digest_take(), which knows the grammar (OCI
 * image-spec descriptor.md "Digests", the two registered algorithms). What firn
 * itself sums up is sha256; sha512 is what an image's documents may say of blobs.
 */
#ifndef FIRN_BUILDER_DIGEST_H
#define FIRN_BUILDER_DIGEST_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DIGEST_TEXT_SIZE = 136,      /* "sha512:" and 128 digits, NUL */
	DIGEST_SIZE = 32,            /* of sha256, bytes */
	DIGEST_ALGORITHM_SIZE = 8,
};

/* A digest by its text, which can be compared and printed as it is. */
struct digest {
	char text[DIGEST_TEXT_SIZE]; /* "" when unset */
};

/*
 * Take @text over if it is a sha256 or sha512 digest in lower case. Returns 0, or -1, also for
 * NULL; @digest is then as it was.
 */
int digest_take(struct digest *digest, const char *text);
/*
 * One that another process has written, which may be anybody's: no end of a text is sure. Whether
 * it is one now, or, if it is not @needed, unset.
 */
bool digest_settle(struct digest *digest, bool needed);
/* Whether both are the same, and set. */
bool digest_is(const struct digest *a, const struct digest *b);
/* The hex digits alone, which name a blob's file in caches and layouts. Part of @digest. */
const char *digest_hex(const struct digest *digest);
/* What stands in front of them: "sha256" or "sha512". */
const char *digest_algorithm(const struct digest *digest, char out[DIGEST_ALGORITHM_SIZE]);

/*
 * A sum in the making, by OpenSSL, which uses the processor's own instructions. NULL without
 * memory.
 */
struct hasher;
struct hasher *hasher_new(void);
/* To be compared with @like: of its algorithm; sha256 if it is "" or NULL. */
struct hasher *hasher_new_like(const struct digest *like);
void hasher_free(struct hasher *sum);
void hasher_freep(struct hasher **sum);
#define auto_hasher CLEANUP(hasher_freep) struct hasher
void hasher_add(struct hasher *sum, const void *data, size_t size);
/* The sum of all that was added; the sum starts anew. Bytes are to be had of sha256 only. */
void hasher_end_bytes(struct hasher *sum, uint8_t out[DIGEST_SIZE]);
void hasher_end(struct hasher *sum, struct digest *out);
/* The sum of what was added until now; more may be added to it. -1 without memory. */
int hasher_peek(const struct hasher *sum, struct digest *out, struct err *err);
/* Add the bytes of @fd from @at up to @end, read with pread(2). @name is for messages. */
int hasher_add_file(struct hasher *sum, int fd, uint64_t at, uint64_t end, const char *name,
		    struct err *err);

/*
 * The digest of @size bytes of @data; the second one to be compared with @like. Return 0, or -1
 * with @err, for no memory alone.
 */
int digest_of(const void *data, size_t size, struct digest *out, struct err *err);
int digest_of_like(const struct digest *like, const void *data, size_t size, struct digest *out,
		   struct err *err);

#endif
