/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cache.h - what was fetched from registries, for the next build.
 *
 * A plain OCI layout (image-spec image-layout.md) that skopeo and umoci can read
 * too: blobs by digest, and index.json with the names under which they were
 * fetched. A blob is downloaded as ingest/HEX.part under a lock, so that two
 * builds do not fetch the same one, and moved to its place once its digest is
 * right; a download that was cut off goes on from there. Whatever is in the
 * cache is checked again each time it is used.
 */
#ifndef FIRN_BUILDER_FETCH_CACHE_H
#define FIRN_BUILDER_FETCH_CACHE_H

#include "builder/digest.h"
#include "builder/fetch/patience.h"
#include "lib/conf/cache_place.h"

enum { CACHE_STILL_MS = 60000, CACHE_WAIT_MS = 15 * 60000 };

struct cache;

/* Open the cache at @place, made if it is not there: cache_folder_open(). @err has the remedy. */
int cache_open(const struct cache_place *place, struct cache **out, struct err *err);
/* Where it is, for messages. */
const char *cache_path(const struct cache *cache);
void cache_close(struct cache *cache);
void cache_closep(struct cache **cache);
#define auto_cache CLEANUP(cache_closep) struct cache

/*
 * A descriptor of the blob, a regular file, which is marked as used. Or -1: it is not there
 * (ENOENT), something that can be no blob is in its place (EINVAL), or there is no telling.
 */
int cache_find(struct cache *cache, const struct digest *digest);

/*
 * Begin or go on with a download: waits until no other process has it, as long as @patience lasts,
 * the other one gets on (CACHE_STILL_MS), and it does not take CACHE_WAIT_MS in all: who holds
 * the lock may be in the hands of an image. Returns 1 with the locked .part file in @fd and the
 * bytes that are there in @size, 0 when the blob has come in meanwhile (see cache_find()), -1 on
 * failure. What is in the place of either and can be neither (a link, an empty directory) is
 * removed; an error to open it is none to remove it for.
 */
int cache_begin(struct cache *cache, const struct digest *digest, const struct patience *patience,
		int *fd, uint64_t *size, struct err *err);
/* The download @fd is complete and right: it becomes the blob. Or it is wrong, and goes. */
int cache_commit(struct cache *cache, const struct digest *digest, struct err *err);
void cache_discard(struct cache *cache, const struct digest *digest);
/*
 * Remove the blob @fd, which does not match its digest; one that has taken its place meanwhile
 * stays. Waits as cache_begin() does. Returns 0 when the wrong one is gone, or -1 with @err.
 */
int cache_drop(struct cache *cache, const struct digest *digest, int fd,
	       const struct patience *patience, struct err *err);

/* Put a whole document in. */
int cache_store(struct cache *cache, const struct digest *digest, const void *data, size_t size,
		struct err *err);
/* Name the manifest @digest "HOST/NAME:TAG" in index.json, in place of what had that name, or no
 * more of one than the digest; "HOST/NAME@DIGEST" is not noted beside a tag. */
int cache_name(struct cache *cache, const char *name, const struct digest *digest, uint64_t size,
	       const char *media_type, struct err *err);

/* Whether anything was ever fetched from @host (with its port) into the cache at @place. */
bool cache_knows_host(const struct cache_place *place, const char *host);

/* Print names, digests, sizes and last use, and the sum. */
int cache_list(struct cache *cache, bool json, struct err *err);
/* Remove blobs, those used longest ago first, until at most @keep bytes are left. */
int cache_gc(struct cache *cache, uint64_t keep, bool json, struct err *err);

#endif
