/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/data.h"

#include "builder/squash/spool.h"
#include "lib/file.h"
#include "lib/path.h"
#include "lib/squashfs/squashfs.h"

#include <fcntl.h>

/* What reading one file needs besides its inode. */
struct data_source {
	const struct data *data;
	int fd; /* of a host file */
	struct squashfs_inode squashfs;
};

static int read_fd(int fd, uint64_t offset, void *buffer, size_t size, struct err *err)
{
	ssize_t n = file_read_at(fd, buffer, size, offset);

	if (n < 0)
		return err_sys(err, "cannot read");
	if ((size_t)n < size)
		return err_set(err, "the file is shorter than it was");
	return 0;
}

/* @size stored bytes from @offset on, counted from the file's first stored byte. */
static int read_stored(struct data_source *source, uint64_t offset, void *buffer, size_t size,
		       struct err *err)
{
	const struct data *data = source->data;
	ssize_t n;

	switch (data->kind) {
	case DATA_MEMORY:
		memcpy(buffer, (const char *)data->from.memory + offset, size);
		return 0;
	case DATA_SPOOL:
		return spool_read(data->from.spool, data->offset + offset, buffer, size, err);
	case DATA_FD:
		return read_fd(data->from.fd, data->offset + offset, buffer, size, err);
	case DATA_HOST:
		return read_fd(source->fd, offset, buffer, size, err);
	case DATA_SQUASHFS:
		n = squashfs_pread(data->from.squashfs, &source->squashfs, buffer, size, offset,
				   err);
		if (n >= 0 && (size_t)n != size)
			return err_set(err, "the file is shorter than its inode says");
		return n < 0 ? -1 : 0;
	case DATA_NONE:
		break;
	}
	return err_set(err, "a file without data");
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int open_source(const struct inode *inode, struct data_source *source, struct err *err)
{
	const struct host_file *host = inode->data.from.host;
	struct stat stat;

	source->data = &inode->data;
	if (inode->data.kind == DATA_SQUASHFS)
		return squashfs_inode(inode->data.from.squashfs, inode->data.offset,
				      &source->squashfs, err);
	if (inode->data.kind != DATA_HOST)
		return 0;
	source->fd =
		path_open_in(host->root, host->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (source->fd < 0)
		return err_sys(err, "cannot open");
	if (fstat(source->fd, &stat) < 0)
		return err_sys(err, "cannot read");
	if (!is_same(&stat, &host->stat))
		return err_set(err, "the file was changed during the build");
	return 0;
}

static int copy(struct data_source *source, uint64_t offset, uint64_t size, void *buffer,
		data_sink *sink, void *arg, struct err *err)
{
	while (size > 0) {
		size_t part = size < DATA_BUFFER_SIZE ? (size_t)size : DATA_BUFFER_SIZE;

		if (read_stored(source, offset, buffer, part, err) < 0 ||
		    sink(arg, buffer, part, err) < 0)
			return -1;
		offset += part;
		size -= part;
	}
	return 0;
}

static int zeros(uint64_t size, data_sink *sink, void *arg, struct err *err)
{
	while (size > 0) {
		size_t part = size < DATA_BUFFER_SIZE ? (size_t)size : DATA_BUFFER_SIZE;

		if (sink(arg, NULL, part, err) < 0)
			return -1;
		size -= part;
	}
	return 0;
}

static int copy_segments(const struct inode *inode, struct data_source *source, void *buffer,
			 data_sink *sink, void *arg, struct err *err)
{
	uint64_t at = 0, stored = 0;

	for (uint32_t i = 0; i < inode->segment_count; i++) {
		const struct tar_segment *segment = &inode->segment[i];

		if (zeros(segment->offset - at, sink, arg, err) < 0 ||
		    copy(source, stored, segment->size, buffer, sink, arg, err) < 0)
			return -1;
		at = segment->offset + segment->size;
		stored += segment->size;
	}
	return zeros(inode->size - at, sink, arg, err);
}

/* A file that grew or changed while it was read would be half old, half new. */
static int check_unchanged(const struct inode *inode, const struct data_source *source,
			   struct err *err)
{
	struct stat stat;

	if (inode->data.kind != DATA_HOST)
		return 0;
	if (fstat(source->fd, &stat) < 0)
		return err_sys(err, "cannot read");
	return is_same(&stat, &inode->data.from.host->stat) ?
		       0 : err_set(err, "the file was changed during the build");
}

int data_read(const struct inode *inode, void *buffer, data_sink *sink, void *arg, struct err *err)
{
	struct data_source source = {.fd = -1};
	int result;

	if (inode->size == 0)
		return 0;
	result = open_source(inode, &source, err);
	if (result == 0 && inode->segment)
		result = copy_segments(inode, &source, buffer, sink, arg, err);
	else if (result == 0)
		result = copy(&source, 0, inode->size, buffer, sink, arg, err);
	if (result == 0)
		result = check_unchanged(inode, &source, err);
	own_close(&source.fd);
	return result;
}
