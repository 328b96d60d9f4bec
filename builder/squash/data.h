/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * data.h - the bytes of a file of the tree, wherever they are.
 *
 * A file of the host is opened when its turn comes, below the directory being packed, and has to
 * be the one that was found, by device, inode, size and mtime: what changes under a build is an
 * error, not half of one and half of the other.
 */
#ifndef FIRN_BUILDER_SQUASH_DATA_H
#define FIRN_BUILDER_SQUASH_DATA_H

#include "builder/squash/tree.h"

/* A file of the host, below the directory that is being packed. */
struct host_file {
	int root;         /* of the directory; borrowed */
	const char *path; /* relative to it */
	struct stat stat; /* when it was found */
};

/*
 * Gets a file's bytes in order; @data is NULL for a run of @size zeros, and the caller's again when
 * it returns. Returns 0, or -1 with @err, which ends the reading.
 */
typedef int data_sink(void *arg, const void *data, size_t size, struct err *err);

enum { DATA_BUFFER_SIZE = 1 << 20 };

/*
 * All bytes of @inode's file, holes included, to @sink, in pieces of at most
 * DATA_BUFFER_SIZE. @buffer is scratch space of that size. Returns 0, or -1 with @err, without the
 * file's name, which the caller knows.
 */
int data_read(const struct inode *inode, void *buffer, data_sink *sink, void *arg, struct err *err);

#endif
