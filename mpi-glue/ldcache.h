/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ldcache.h - the names in an image's /etc/ld.so.cache.
 *
 * glibc's file (dl-cache.h): an optional old table "ld.so-1.7.0", then a header
 * "glibc-ld.so.cache1.1", entries that point to names by offsets, and the names.
 * Read as this machine's own byte order has it. Nothing in it is trusted.
 */
#ifndef FIRN_MPI_GLUE_LDCACHE_H
#define FIRN_MPI_GLUE_LDCACHE_H

#include <stddef.h>

/*
 * Call @seen for the name of each library ("libhwloc.so.15"). Returns how many, or
 * -1 when this is no such file or one whose parts lie outside of it.
 */
int ldcache_names(const void *data, size_t size, void (*seen)(void *arg, const char *name),
		  void *arg);

#endif
