/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cache_private.h - between cache.c (blobs) and cache_index.c (names, gc).
 *
 * The folder is an OCI image layout (image-spec image-layout.md): blobs/ALGORITHM/HEX, index.json,
 * and what is being written in ingest/, which a rename makes a blob.
 */
#ifndef FIRN_BUILDER_FETCH_CACHE_PRIVATE_H
#define FIRN_BUILDER_FETCH_CACHE_PRIVATE_H

#include "builder/fetch/cache.h"

#include <stdatomic.h>
#include <sys/stat.h>

enum { CACHE_SHA256, CACHE_SHA512, CACHE_ALGORITHMS, CACHE_HEX_MAX = 128 };

/* An open cache: descriptors of its folders, so that a path is walked once. */
struct cache {
	long long still_ms; /* CACHE_STILL_MS; a test has less of it */
	char *path;
	int folder, ingest;
	int blobs[CACHE_ALGORITHMS]; /* a folder for each */
};

/* The folder for the blob @digest. */
int cache_blobs(const struct cache *cache, const struct digest *digest);

/*
 * Open @name of @folder, a regular file. -1 with ENOENT when there is none, with EINVAL when what
 * is there can be none of the cache's (a directory, a link, a file whose owner may not read it),
 * otherwise with an error that says nothing of it (too many files are open, the disk is away).
 */
int cache_open_file(int folder, const char *name, int flags);
/*
 * Replace the file @name of @folder by the @size bytes of @data, whole: who reads it sees the old
 * or the new ones. Returns 0, or -1 with @err.
 */
int cache_write(struct cache *cache, int folder, const char *name, const void *data, size_t size,
		struct err *err);

#endif
