/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/blocks.h"

#include "lib/file.h"
#include "lib/own.h"

#include <errno.h>
#include <sqfs/block.h>
#include <sqfs/error.h>

enum { TABLE_START = 1 << 10, COMPARE_SIZE = 32 << 10 };

struct descriptor_file {
	sqfs_file_t base;
	int fd, code;
	sqfs_u64 size;
};

static int read_at(sqfs_file_t *base, sqfs_u64 offset, void *buffer, size_t size)
{
	struct descriptor_file *file = (struct descriptor_file *)base;

	ssize_t n = file_read_at(file->fd, buffer, size, offset);

	if (n < 0 || (size_t)n < size) {
		file->code = n < 0 ? errno : EIO;
		return n < 0 ? SQFS_ERROR_IO : SQFS_ERROR_OUT_OF_BOUNDS;
	}
	return 0;
}

static int write_at(sqfs_file_t *base, sqfs_u64 offset, const void *buffer, size_t size)
{
	struct descriptor_file *file = (struct descriptor_file *)base;

	if (file_write_at(file->fd, buffer, size, offset) < 0) {
		file->code = errno;
		return SQFS_ERROR_IO;
	}
	if (offset + size > file->size)
		file->size = offset + size;
	return 0;
}

static sqfs_u64 file_get_size(const sqfs_file_t *base)
{
	return ((const struct descriptor_file *)base)->size;
}

static int file_truncate(sqfs_file_t *base, sqfs_u64 size)
{
	struct descriptor_file *file = (struct descriptor_file *)base;

	if (ftruncate(file->fd, (off_t)size) < 0) {
		file->code = errno;
		return SQFS_ERROR_IO;
	}
	file->size = size;
	return 0;
}

static void file_destroy(sqfs_object_t *base)
{
	free(base);
}

sqfs_file_t *blocks_file(int fd)
{
	struct descriptor_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->base = (sqfs_file_t){
		{file_destroy, NULL}, read_at, write_at, file_get_size, file_truncate};
	file->fd = fd;
	return &file->base;
}

int blocks_file_errno(const sqfs_file_t *file)
{
	return ((const struct descriptor_file *)file)->code;
}

/* One block in the image. Runs of blocks are found by their first one. */
struct seen_block {
	sqfs_u64 offset;
	sqfs_u32 size, checksum; /* as stored; of the data */
	sqfs_u32 next;           /* older one of the same hash, index + 1; 0: none */
};

struct writer {
	sqfs_block_writer_t base;
	sqfs_file_t *file;
	struct seen_block *block;
	size_t count, room;
	sqfs_u32 *table; /* newest block of each hash, index + 1 */
	size_t table_size;
	size_t first;    /* of the file that is being written */
	sqfs_u64 start;
};

static size_t hash_of(const struct writer *writer, const struct seen_block *block)
{
	sqfs_u64 hash = ((sqfs_u64)block->size << 32 | block->checksum) * 0x9e3779b97f4a7c15;

	return (size_t)(hash >> 32) & (writer->table_size - 1);
}

static void enter(struct writer *writer, size_t index)
{
	size_t at = hash_of(writer, &writer->block[index]);

	writer->block[index].next = writer->table[at];
	writer->table[at] = (sqfs_u32)index + 1;
}

static int reserve(struct writer *writer)
{
	if (writer->count == writer->room) {
		size_t room = writer->room ? 2 * writer->room : TABLE_START;
		struct seen_block *grown = reallocarray(writer->block, room, sizeof(*grown));

		if (!grown)
			return -1;
		writer->block = grown;
		writer->room = room;
	}
	return writer->count >= UINT32_MAX - 1 ? -1 : 0;
}

static int grow_table(struct writer *writer)
{
	sqfs_u32 *grown;

	if (writer->first < writer->table_size)
		return 0;
	grown = calloc(4 * writer->table_size, sizeof(*grown));
	if (!grown)
		return -1;
	free(writer->table);
	writer->table = grown;
	writer->table_size *= 4;
	for (size_t i = 0; i < writer->first; i++)
		enter(writer, i);
	return 0;
}

static int compare_bytes(struct writer *writer, sqfs_u64 a, sqfs_u64 b, sqfs_u64 size)
{
	static _Thread_local char left[COMPARE_SIZE], right[COMPARE_SIZE];

	while (size > 0) {
		size_t part = size < COMPARE_SIZE ? (size_t)size : COMPARE_SIZE;

		if (read_at(writer->file, a, left, part) != 0 ||
		    read_at(writer->file, b, right, part) != 0)
			return SQFS_ERROR_IO;
		if (memcmp(left, right, part) != 0)
			return 0;
		a += part;
		b += part;
		size -= part;
	}
	return 1;
}

/* Whether the @count blocks from @at on are those of the file just written. */
static int is_same_run(struct writer *writer, size_t at, size_t count)
{
	const struct seen_block *old = &writer->block[at], *new = &writer->block[writer->first];
	sqfs_u64 size = 0;

	if (count > writer->first - at)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (old[i].size != new[i].size || old[i].checksum != new[i].checksum ||
		    old[i].offset - old->offset != new[i].offset - new->offset)
			return 0;
		size += SQFS_ON_DISK_BLOCK_SIZE(old[i].size);
	}
	return compare_bytes(writer, old->offset, new->offset, size);
}

/* The file is complete: is there such a run already? The oldest one counts. */
static int end_file(struct writer *writer, bool share, sqfs_u64 *location)
{
	size_t count = writer->count - writer->first, found = 0;

	*location = writer->start;
	if (count == 0)
		return 0;
	if (share) {
		size_t at = writer->table[hash_of(writer, &writer->block[writer->first])];

		for (; at > 0; at = writer->block[at - 1].next) {
			int same = is_same_run(writer, at - 1, count);

			if (same < 0)
				return same;
			if (same)
				found = at;
		}
	}
	if (found > 0) {
		*location = writer->block[found - 1].offset;
		writer->count = writer->first;
		return file_truncate(writer->file, writer->start);
	}
	for (; writer->first < writer->count; writer->first++)
		enter(writer, writer->first);
	return grow_table(writer) < 0 ? SQFS_ERROR_ALLOC : 0;
}

static int write_data_block(sqfs_block_writer_t *base, void *user, sqfs_u32 size, sqfs_u32 checksum,
			    sqfs_u32 flags, const sqfs_u8 *data, sqfs_u64 *location)
{
	struct writer *writer = (struct writer *)base;
	int result;

	(void)user;
	if (flags & SQFS_BLK_FRAGMENT_BLOCK) { /* comes between two files */
		*location = file_get_size(writer->file);
		return write_at(writer->file, *location, data, size);
	}
	if (flags & SQFS_BLK_FIRST_BLOCK) {
		writer->first = writer->count;
		writer->start = file_get_size(writer->file);
	}
	if (size > 0 && !(flags & SQFS_BLK_IS_SPARSE)) {
		/* As in a block list: bit 24 says that it is stored as it is. */
		sqfs_u32 stored = flags & SQFS_BLK_IS_COMPRESSED ? size : size | 1U << 24;

		*location = file_get_size(writer->file);
		if (reserve(writer) < 0)
			return SQFS_ERROR_ALLOC;
		writer->block[writer->count++] =
			(struct seen_block){*location, stored, checksum, 0};
		result = write_at(writer->file, *location, data, size);
		if (result != 0)
			return result;
	}
	if (flags & SQFS_BLK_LAST_BLOCK)
		return end_file(writer, !(flags & SQFS_BLK_DONT_DEDUPLICATE), location);
	return 0;
}

static sqfs_u64 get_block_count(const sqfs_block_writer_t *base)
{
	return ((const struct writer *)base)->count;
}

static void writer_destroy(sqfs_object_t *base)
{
	struct writer *writer = (struct writer *)base;

	free(writer->block);
	free(writer->table);
	free(writer);
}

sqfs_block_writer_t *blocks_writer(sqfs_file_t *file)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer || !(writer->table = calloc(TABLE_START, sizeof(*writer->table)))) {
		free(writer);
		return NULL;
	}
	writer->table_size = TABLE_START;
	writer->base =
		(sqfs_block_writer_t){{writer_destroy, NULL}, write_data_block, get_block_count};
	writer->file = file;
	return &writer->base;
}
