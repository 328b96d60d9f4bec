/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * supply.h - an image's documents and blobs from a registry, through the cache.
 *
 * The side of a build that has the network, the credentials and the cache. It takes nothing
 * apart of what it fetches; it sums up documents, as the cache keeps them by digest. Whoever
 * asks may be in the hands of the image: what it may ask for is not judged here (given.h).
 */
#ifndef FIRN_BUILDER_FETCH_SUPPLY_H
#define FIRN_BUILDER_FETCH_SUPPLY_H

#include "builder/fetch/registry.h"
#include "lib/conf/cache_place.h"

struct supply;

/*
 * @reference and @conf are borrowed; @name ("HOST/NAME:TAG") is for messages. @cache:
 * NULL: none; one that cannot be used is a warning. No document is larger than @max.
 */
int supply_open(const struct reference *reference, const char *name, const struct conf *conf,
		const struct cache_place *cache, size_t max, struct supply **out, struct err *err);
void supply_close(struct supply *supply);
void supply_closep(struct supply **supply);
#define auto_supply CLEANUP(supply_closep) struct supply

/* The document that the reference names; its digest is set. @patience here and below: while it is
 * waited for. */
int supply_top(struct supply *supply, const struct patience *patience, struct document *out,
	       struct err *err);
/* The document @digest of @size bytes, which it is; a manifest or index, or else a blob. */
int supply_document(struct supply *supply, const struct digest *digest, uint64_t size,
		    bool is_manifest, const struct patience *patience, struct document *out,
		    struct err *err);
/* The top document was understood: the cache has it under its name. */
void supply_name(struct supply *supply, bool is_index);

/*
 * A blob of @size bytes, called @what in messages. Either all of it is in the file that
 * supply_blob_file() gives (the blob's, -1: it is not), and its digest is the caller's to check. Or
 * it comes; then its end is an error if its digest is wrong.
 * Used by several threads at once, each with a blob of its own. A blob that was wrong twice is
 * not opened again. @patience outlives it.
 */
struct supply_blob;
int supply_blob_open(struct supply *supply, const struct digest *digest, uint64_t size,
		     const char *what, const struct patience *patience, struct supply_blob **out,
		     struct err *err);
int supply_blob_file(const struct supply_blob *blob);
ssize_t supply_blob_read(struct supply_blob *blob, void *buffer, size_t size, struct err *err);
/* Whether more of it is there, or comes within @ms milliseconds. */
bool supply_blob_has_more(struct supply_blob *blob, long long ms);
/*
 * It was right, it was wrong, or nobody knows. What came goes into the cache if its digest was
 * right, whatever is said; that one of the cache is wrong is looked at. Returns whether it was
 * there, was wrong, and is worth to be opened once more: it comes from the registry then.
 */
enum supply_verdict { SUPPLY_RIGHT, SUPPLY_WRONG, SUPPLY_UNKNOWN };
bool supply_blob_close(struct supply_blob *blob, enum supply_verdict verdict);

#endif
