/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * spool.h - the files' data of all layers, on its way from tar to squashfs.
 *
 * One file without a name (O_TMPFILE in $TMPDIR, /var/tmp or /tmp, else in
 * memory) is shared by all layers: each writes a stream of its own in chunks,
 * wherever the next free one is. However many files an image has, the spool
 * is one inode, and it is gone with the process.
 */
#ifndef FIRN_BUILDER_SQUASH_SPOOL_H
#define FIRN_BUILDER_SQUASH_SPOOL_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdint.h>
#include <sys/types.h>

struct spool;        /* the file; used by several threads */
struct spool_stream; /* one layer's data; written by one thread, then read by one */

/* Return 0 and a new @out, or -1 with @err; a stream takes no room until it is written to. */
int spool_open(struct spool **out, struct err *err);
/* After its streams. The file is gone with its descriptor; NULL is fine. */
void spool_close(struct spool *spool);
int spool_fd(const struct spool *spool); /* its file, borrowed */

/* A file of its own of the same kind: for what is wanted as a whole. Returns its descriptor. */
int spool_unnamed(struct err *err);

/* Fill @err for one of them that cannot be written to for @code, an errno value: where it is, and
 * what to do. Returns -1. */
int spool_fail(int code, struct err *err);

int spool_stream_new(struct spool *spool, struct spool_stream **out, struct err *err);
void spool_stream_free(struct spool_stream *stream);

/*
 * Append @size bytes; the place of the first one is spool_size() before. Kept in memory, up to 1
 * MiB, until a chunk is full. 0, or -1 with @err, as for a full disk.
 */
int spool_write(struct spool_stream *stream, const void *data, size_t size, struct err *err);
uint64_t spool_size(const struct spool_stream *stream);
/* Nothing more will be written: what is still in memory goes to the file. */
int spool_flush(struct spool_stream *stream, struct err *err);
/* Exactly @size bytes at @offset of what was written, all of it flushed: 0, or -1 with @err. */
int spool_read(struct spool_stream *stream, uint64_t offset, void *buffer, size_t size,
	       struct err *err);

#endif
