/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/stream.h"

#include "lib/file.h"

#include <unistd.h>

struct file {
	struct stream stream;
	int fd;
	bool own;
	uint64_t offset, left;
	char *name;
};

struct sum {
	struct stream stream;
	struct stream *below;
	struct hasher *hasher;
	uint64_t size;
	bool ended;
	stream_end *end;
	void *arg;
};

void stream_close(struct stream *stream)
{
	if (stream)
		stream->close(stream);
}

void stream_closep(struct stream **stream)
{
	stream_close(*stream);
}

ssize_t stream_fill(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = stream->read(stream, (char *)buffer + done, size - done, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static ssize_t read_file(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct file *file = (struct file *)stream;
	ssize_t n;

	if (size > file->left)
		size = (size_t)file->left;
	if (size == 0)
		return 0;
	n = file_read_at(file->fd, buffer, size, file->offset);
	if (n < 0)
		return err_sys(err, "cannot read '%s'", file->name);
	if (n == 0)
		return err_set(err, "'%s' ends too soon", file->name);
	file->offset += (uint64_t)n;
	file->left -= (uint64_t)n;
	return n;
}

static void close_file(struct stream *stream)
{
	struct file *file = (struct file *)stream;

	if (file->own)
		(void)close(file->fd);
	free(file->name);
	free(file);
}

int stream_open_file(int fd, bool own, uint64_t offset, uint64_t size, const char *name,
		     struct stream **out, struct err *err)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file || !(file->name = strdup(name))) {
		free(file);
		if (own)
			(void)close(fd);
		return err_code(err, ENOMEM, "cannot read '%s'", name);
	}
	file->stream = (struct stream){read_file, close_file};
	file->fd = fd;
	file->own = own;
	file->offset = offset;
	file->left = size;
	*out = &file->stream;
	return 0;
}

static ssize_t sum_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct sum *sum = (struct sum *)stream;
	struct digest digest;
	ssize_t n = sum->below->read(sum->below, buffer, size, err);

	if (n > 0) {
		hasher_add(sum->hasher, buffer, (size_t)n);
		sum->size += (uint64_t)n;
	} else if (n == 0 && size > 0 && !sum->ended) {
		sum->ended = true;
		hasher_end(sum->hasher, &digest);
		if (sum->end(sum->arg, &digest, sum->size, err) < 0)
			return -1;
	}
	return n;
}

static void sum_close(struct stream *stream)
{
	struct sum *sum = (struct sum *)stream;

	stream_close(sum->below);
	hasher_free(sum->hasher);
	free(sum);
}

int stream_open_sum(struct stream *below, const struct digest *like, stream_end *end, void *arg,
		    struct stream **out, struct err *err)
{
	struct sum *sum = calloc(1, sizeof(*sum));

	if (!sum || !(sum->hasher = hasher_new_like(like))) {
		free(sum);
		stream_close(below);
		return err_code(err, ENOMEM, "cannot compute a digest");
	}
	sum->stream = (struct stream){sum_read, sum_close};
	sum->below = below;
	sum->end = end;
	sum->arg = arg;
	*out = &sum->stream;
	return 0;
}
