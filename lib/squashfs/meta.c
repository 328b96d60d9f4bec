/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Metadata is a chain of blocks of 8 KiB when decompressed, each behind a length
 * of two bytes. What is stored runs across their borders.
 */
#include "lib/squashfs/private.h"

#include <stdatomic.h>
#include <string.h>

enum { KEPT_BLOCKS_MAX = 8192 }; /* 64 KiB of positions, for 4 million fragments */

static int fill_meta(struct squashfs_reader *reader, struct block *block, struct err *err)
{
	const struct squashfs *image = reader->image;
	uint8_t head[2];
	uint32_t size;
	ssize_t made;

	/* The length and, most likely, the whole block in one read. */
	uint64_t left = image->info.bytes_used - block->position;
	size_t want = left < META_SIZE + 2 ? (size_t)left : META_SIZE + 2;

	if (want < sizeof(head))
		return squashfs_damaged(image, err, "metadata at %llu lies outside",
					(unsigned long long)block->position);
	if (squashfs_load(image, reader->raw, want, block->position, err) < 0)
		return -1;
	memcpy(head, reader->raw, sizeof(head));
	size = le_get16(head) & (META_UNCOMPRESSED - 1);
	if (size == 0 || size > META_SIZE || size + 2 > want)
		return squashfs_damaged(image, err, "metadata at %llu has a length of %u bytes",
					(unsigned long long)block->position, size);
	block->next = block->position + 2 + size;
	if (le_get16(head) & META_UNCOMPRESSED) {
		memcpy(block->data, reader->raw + 2, size);
		block->size = size;
		return 0;
	}
	made = codec_decompress(reader->codec, reader->raw + 2, size, block->data, META_SIZE);
	if (made <= 0)
		return squashfs_undecodable(image, "metadata", block->position, err);
	block->size = (uint32_t)made;
	return 0;
}

/*
 * Make reader->meta[0] the block at @position. The few blocks read before stay
 * pinned: a listing with its inodes goes to and fro between two or three, and
 * then takes no lock.
 */
static int hold(struct squashfs_reader *reader, uint64_t position, struct err *err)
{
	struct block *block = NULL;
	size_t i;

	for (i = 0; i < META_HELD - 1; i++)
		if (!reader->meta[i] || reader->meta[i]->position == position)
			break;
	if (reader->meta[i] && reader->meta[i]->position == position) {
		block = reader->meta[i];
	} else {
		if (cache_get(reader->image->meta, reader, position, 0, fill_meta, &block, err) < 0)
			return -1;
		if (reader->meta[i])
			cache_put(reader->image->meta, reader->meta[i]);
	}
	for (; i > 0; i--)
		reader->meta[i] = reader->meta[i - 1];
	reader->meta[0] = block;
	return 0;
}

int meta_block(struct squashfs_reader *reader, uint64_t position, uint32_t *size, uint64_t *next,
	       struct err *err)
{
	if (position >= reader->image->info.bytes_used)
		return squashfs_damaged(reader->image, err, "metadata at %llu lies outside",
					(unsigned long long)position);
	if (hold(reader, position, err) < 0)
		return -1;
	*size = reader->meta[0]->size;
	*next = reader->meta[0]->next;
	return 0;
}

static int outside(const struct squashfs *image, const struct cursor *cursor, struct err *err)
{
	return squashfs_damaged(image, err, "the %s table ends early, at %llu", cursor->table->name,
				(unsigned long long)cursor->block);
}

int cursor_set(struct cursor *cursor, const struct squashfs *image, const struct table *table,
	       uint64_t block, uint32_t offset, struct err *err)
{
	if (block < table->start || block >= table->end || offset > META_SIZE)
		return squashfs_damaged(image, err, "a reference leads out of the %s table",
					table->name);
	*cursor = (struct cursor){table, block, offset};
	return 0;
}

ssize_t cursor_peek(struct squashfs_reader *reader, struct cursor *cursor, const uint8_t **bytes,
		    struct err *err)
{
	const struct block *block = reader->meta[0];

	for (;;) {
		if (cursor->block < cursor->table->start || cursor->block >= cursor->table->end)
			return outside(reader->image, cursor, err);
		if ((!block || block->position != cursor->block) &&
		    hold(reader, cursor->block, err) < 0)
			return -1;
		block = reader->meta[0];
		if (cursor->offset < block->size)
			break;
		/* Only a full block has a successor; each step goes forward, so this ends. */
		if (block->size != META_SIZE || cursor->offset > META_SIZE)
			return outside(reader->image, cursor, err);
		cursor->offset -= META_SIZE;
		cursor->block = block->next;
	}
	*bytes = block->data + cursor->offset;
	return (ssize_t)(block->size - cursor->offset);
}

int cursor_read(struct squashfs_reader *reader, struct cursor *cursor, void *buffer, size_t size,
		struct err *err)
{
	uint8_t *to = buffer;

	while (size > 0) {
		const uint8_t *from;
		ssize_t there = cursor_peek(reader, cursor, &from, err);
		size_t part;

		if (there < 0)
			return -1;
		part = size < (size_t)there ? size : (size_t)there;
		if (to) {
			memcpy(to, from, part);
			to += part;
		}
		cursor->offset += (uint32_t)part;
		size -= part;
	}
	return 0;
}

/*
 * Where the metadata block that holds entry @index lies. Two threads may load the
 * positions at once; the second to be ready throws its own away.
 */
static int table_block(struct squashfs *image, struct lookup_table *table, uint32_t index,
		       uint64_t *block, struct err *err)
{
	uint32_t per_block = META_SIZE / table->entry_size;
	uint64_t count = lookup_block_count(table);
	uint64_t *blocks = atomic_load_explicit(&table->blocks, memory_order_acquire);
	uint64_t *others = NULL;

	/* So large a table is rare, or made up: read the one position. */
	if (count > KEPT_BLOCKS_MAX) {
		if (squashfs_load(image, block, sizeof(*block),
				  table->position + 8ull * (index / per_block), err) < 0)
			return -1;
		*block = le_get64(block);
		return 0;
	}
	if (!blocks) {
		blocks = malloc(count * sizeof(*blocks));
		if (!blocks)
			return err_code(err, ENOMEM, "cannot read '%s'", image->name);
		if (squashfs_load(image, blocks, count * sizeof(*blocks), table->position, err) <
		    0) {
			free(blocks);
			return -1;
		}
		if (!atomic_compare_exchange_strong(&table->blocks, &others, blocks)) {
			free(blocks);
			blocks = others;
		}
	}
	*block = le_get64(&blocks[index / per_block]);
	return 0;
}

int table_entry(struct squashfs_reader *reader, struct lookup_table *table, uint32_t index,
		void *entry, struct err *err)
{
	struct squashfs *image = reader->image;
	struct table all = {0, image->info.bytes_used, table->name};
	uint32_t per_block = META_SIZE / table->entry_size;
	struct cursor cursor;
	uint64_t block;

	if (index >= table->count)
		return squashfs_damaged(image, err, "%s number %u is wanted, there are %u",
					table->name, index, table->count);
	if (table_block(image, table, index, &block, err) < 0 ||
	    cursor_set(&cursor, image, &all, block, index % per_block * table->entry_size, err) < 0)
		return -1;
	return cursor_read(reader, &cursor, entry, table->entry_size, err);
}
