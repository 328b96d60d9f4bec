/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * stream.h - bytes that are read once, from front to back.
 *
 * A layer goes through a chain of them: a file, an archive's member or a
 * registry's blob; a sum over its bytes; the decompressor; a sum over the tar.
 */
#ifndef FIRN_BUILDER_TAR_STREAM_H
#define FIRN_BUILDER_TAR_STREAM_H

#include "builder/digest.h"

#include <stdint.h>
#include <sys/types.h>

struct stream {
	/* Up to @size bytes into @buffer; 0 at the end, -1 with @err. May give less than asked for.
	 */
	ssize_t (*read)(struct stream *stream, void *buffer, size_t size, struct err *err);
	void (*close)(struct stream *stream); /* frees @stream and the streams below it */
};

void stream_close(struct stream *stream); /* NULL is fine */
void stream_closep(struct stream **stream);
#define auto_stream CLEANUP(stream_closep) struct stream

/* Read until @size bytes are there or the end is reached. Returns the bytes read, or -1. */
ssize_t stream_fill(struct stream *stream, void *buffer, size_t size, struct err *err);

/*
 * @size bytes of @fd from @offset on, by pread. @fd is borrowed unless @own; @name
 * is copied and used in messages. A file that ends before is an error.
 */
int stream_open_file(int fd, bool own, uint64_t offset, uint64_t size, const char *name,
		     struct stream **out, struct err *err);

/*
 * What passes through, counted and summed. Takes @below over in any case. @end,
 * called with the sum when the end is reached, may refuse it by returning -1. The sum
 * is of @like's algorithm, or sha256.
 */
typedef int stream_end(void *arg, const struct digest *digest, uint64_t size, struct err *err);
int stream_open_sum(struct stream *below, const struct digest *like, stream_end *end, void *arg,
		    struct stream **out, struct err *err);

#endif
