/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * data.h - the bytes of a file of the tree, wherever they are.
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

/* Gets a file's bytes in order; @data is NULL for a run of @size zeros. */
typedef int data_sink(void *arg, const void *data, size_t size, struct err *err);

enum { DATA_BUFFER_SIZE = 1 << 20 };

/*
 * All bytes of @inode's file, holes included, to @sink, in pieces of at most
 * DATA_BUFFER_SIZE. @buffer is scratch space of that size.
 */
int data_read(const struct inode *inode, void *buffer, data_sink *sink, void *arg, struct err *err);

#endif
