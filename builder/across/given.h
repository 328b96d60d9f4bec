/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * given.h - what the process in the cage may ask for of a registry: what it was told of.
 *
 * A digest that it names is looked up in a cache that all repositories share, and goes to the
 * registry in a request. If it could name any, it could have what others fetched, and tell
 * the registry what it knows. So it is one that stands in a document which this build was given,
 * and there are not more of them, nor of their bytes, than an image can have. Nothing is parsed for
 * that: the digest's text is searched for in the documents', where JSON leaves it as it is.
 *
 * Used by several threads.
 */
#ifndef FIRN_BUILDER_ACROSS_GIVEN_H
#define FIRN_BUILDER_ACROSS_GIVEN_H

#include "builder/digest.h"

struct given;

/* @max_size: bytes of an image's files, [build] max-size. NULL without memory. */
struct given *given_new(uint64_t max_size);
void given_free(struct given *given);

/* The document @text was handed over; it is copied. -1 with @err: that is one too many. */
int given_document(struct given *given, const char *text, size_t size, struct err *err);
/* Whether the document @digest may be asked for: 0, or -1 with @err. */
int given_has(struct given *given, const struct digest *digest, struct err *err);
/* The same of a blob of @size bytes, called @what, which counts. */
int given_blob(struct given *given, const struct digest *digest, uint64_t size, const char *what,
	       struct err *err);

#endif
