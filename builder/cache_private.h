/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cache_private.h - between cache.c (blobs) and cache_index.c (names, gc).
 */
#ifndef FIRN_CACHE_PRIVATE_H
#define FIRN_CACHE_PRIVATE_H

#include "builder/cache.h"

#include <stdatomic.h>
#include <sys/stat.h>

struct cache {
	char *path;
	int folder, blobs, ingest;
};

/* Replace the file @name of @folder by @data, whole. */
int cache_write(struct cache *cache, int folder, const char *name, const void *data, size_t size,
		struct err *err);

#endif
