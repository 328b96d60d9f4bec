/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/spool.h"

#include "lib/file.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { CHUNK_SIZE = 1 << 20 };

struct spool {
	int fd;
	atomic_uint_least32_t chunks; /* given out */
};

struct spool_stream {
	struct spool *spool;
	uint32_t *chunk; /* where the n-th CHUNK_SIZE bytes are in the file */
	size_t count, room;
	uint64_t size;
	char *buffer;  /* the last chunk, as far as it is filled */
	size_t filled;
};

/* Where the last one was made, which all are; for messages. "": in memory. It is a copy, for the
 * cage has no environment. */
static char made_in[256];

/* A directory that cannot do it (O_TMPFILE is not everywhere) leaves it to the next one. */
static int open_unnamed(void)
{
	const char *const folder[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

	for (size_t i = 0; i < COUNT_OF(folder); i++) {
		int fd = folder[i] && *folder[i]
				 ? open(folder[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600)
				 : -1;

		if (fd < 0)
			continue;
		(void)snprintf(made_in, sizeof(made_in), "%s", folder[i]);
		return fd;
	}
	made_in[0] = '\0';
	return memfd_create("firn-spool", MFD_CLOEXEC);
}

int spool_unnamed(struct err *err)
{
	int fd = open_unnamed();

	if (fd < 0)
		return err_sys(err,
			       "cannot make a temporary file; set TMPDIR to a directory with room");
	return fd;
}

int spool_fail(int code, struct err *err)
{
	const char *quote = *made_in ? "'" : "";

	return err_code(err, code,
			"cannot write a temporary file in %s%s%s; set TMPDIR to a directory with "
			"room",
			quote, *made_in ? made_in : "memory", quote);
}

int spool_open(struct spool **out, struct err *err)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool || (spool->fd = open_unnamed()) < 0) {
		free(spool);
		return err_sys(err,
			       "cannot make a temporary file; set TMPDIR to a directory with room");
	}
	*out = spool;
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	(void)close(spool->fd);
	free(spool);
}

int spool_fd(const struct spool *spool)
{
	return spool->fd;
}

int spool_stream_new(struct spool *spool, struct spool_stream **out, struct err *err)
{
	struct spool_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return err_sys(err, "cannot write to the temporary file");
	stream->spool = spool;
	*out = stream;
	return 0;
}

void spool_stream_free(struct spool_stream *stream)
{
	if (!stream)
		return;
	free(stream->chunk);
	free(stream->buffer);
	free(stream);
}

uint64_t spool_size(const struct spool_stream *stream)
{
	return stream->size;
}

static uint64_t place_of(const struct spool_stream *stream, size_t chunk)
{
	return (uint64_t)stream->chunk[chunk] * CHUNK_SIZE;
}

int spool_flush(struct spool_stream *stream, struct err *err)
{
	if (stream->filled > 0 && file_write_at(stream->spool->fd, stream->buffer, stream->filled,
						place_of(stream, stream->count - 1)) < 0)
		return spool_fail(errno, err);
	stream->filled = 0;
	free(take_ptr(&stream->buffer));
	return 0;
}

static int begin_chunk(struct spool_stream *stream, struct err *err)
{
	char *buffer = take_ptr(&stream->buffer);

	if (stream->count == stream->room) {
		size_t room = stream->room ? 2 * stream->room : 64;
		uint32_t *grown = reallocarray(stream->chunk, room, sizeof(*grown));

		if (!grown) {
			free(buffer);
			return err_sys(err, "cannot write to the temporary file");
		}
		stream->chunk = grown;
		stream->room = room;
	}
	stream->buffer = buffer ? buffer : malloc(CHUNK_SIZE);
	if (!stream->buffer)
		return err_sys(err, "cannot write to the temporary file");
	stream->chunk[stream->count++] = atomic_fetch_add(&stream->spool->chunks, 1);
	return 0;
}

int spool_write(struct spool_stream *stream, const void *data, size_t size, struct err *err)
{
	const char *from = data;

	while (size > 0) {
		size_t part;

		if (stream->filled == 0 && begin_chunk(stream, err) < 0)
			return -1;
		part = CHUNK_SIZE - stream->filled;
		if (part > size)
			part = size;
		memcpy(stream->buffer + stream->filled, from, part);
		stream->filled += part;
		stream->size += part;
		from += part;
		size -= part;
		if (stream->filled == CHUNK_SIZE && spool_flush(stream, err) < 0)
			return -1;
	}
	return 0;
}

int spool_read(struct spool_stream *stream, uint64_t offset, void *buffer, size_t size,
	       struct err *err)
{
	char *to = buffer;

	if (offset > stream->size || size > stream->size - offset)
		return err_set(err, "the temporary file is shorter than it was");
	while (size > 0) {
		size_t chunk = (size_t)(offset / CHUNK_SIZE), at = (size_t)(offset % CHUNK_SIZE);
		size_t part = CHUNK_SIZE - at < size ? CHUNK_SIZE - at : size;
		ssize_t n = file_read_at(stream->spool->fd, to, part, place_of(stream, chunk) + at);

		if (n < 0)
			return err_sys(err, "cannot read the temporary file");
		if ((size_t)n < part)
			return err_set(err, "the temporary file is shorter than it was");
		to += part;
		offset += part;
		size -= part;
	}
	return 0;
}
