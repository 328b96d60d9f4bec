/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The data of regular files: whole blocks, and the tail in a fragment that many
 * files share. A block list gives each block's stored length; where a block lies
 * is the sum of the lengths before it.
 */
#include "lib/squashfs/private.h"

#include <string.h>
#include <sys/stat.h>

enum {
	WORDS = 512,	  /* block lengths read at once */
	MAP_BLOCKS = 512, /* blocks between two marks of a map, at least */
	MARKS_MAX = 4096, /* of one file, so that no file size makes a map large */
};

/* Stands for a hole: as long as the largest block. Not const: that would put it into the file. */
static uint8_t zeros[BLOCK_SIZE_MAX];

/*
 * Marks in the block list of a large file, so that reading anywhere in it costs
 * the same. Marks are added as the file is read further.
 */
struct file_map {
	uint64_t ref;
	uint64_t count; /* marks known; mark i is at block i * map_stride() */
	uint64_t room;
	struct {
		uint64_t data;	/* where that block is stored */
		uint64_t where; /* where its length is: metadata block << 16 | offset */
	} mark[];
};

void file_map_free(struct file_map *map)
{
	free(map);
}

static uint64_t block_count(const struct squashfs *image, const struct squashfs_inode *inode)
{
	uint64_t whole = inode->size >> image->block_log;

	if (inode->fragment == NO_FRAGMENT && inode->size & (image->info.block_size - 1))
		whole++;
	return whole;
}

/* The blocks between two marks of a file: a multiple of MAP_BLOCKS. */
static uint64_t map_stride(const struct squashfs *image, const struct squashfs_inode *inode)
{
	uint64_t count = block_count(image, inode), stride = MAP_BLOCKS;

	while (count / stride >= MARKS_MAX)
		stride *= 2;
	return stride;
}

static uint32_t stored_size(uint32_t word)
{
	return word & (DATA_UNCOMPRESSED - 1);
}

static int read_words(struct squashfs_reader *reader, struct cursor *at, size_t count,
		      struct err *err)
{
	if (cursor_read(reader, at, reader->words, 4 * count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		reader->words[i] = le_get32(&reader->words[i]);
		if (stored_size(reader->words[i]) > reader->image->info.block_size)
			return squashfs_damaged(reader->image, err, "a data block has %u bytes",
						stored_size(reader->words[i]));
	}
	return 0;
}

/* The map of @ref, moved to the front of the list; NULL if there is none. Lock held. */
static struct file_map *find_map(struct squashfs *image, uint64_t ref)
{
	for (size_t i = 0; i < FILE_MAPS && image->map[i]; i++) {
		struct file_map *map = image->map[i];

		if (map->ref != ref)
			continue;
		memmove(&image->map[1], &image->map[0], i * sizeof(map));
		image->map[0] = map;
		return map;
	}
	return NULL;
}

/* The last mark at or before @block: the block it is at, and what it says. */
static uint64_t nearest_mark(struct squashfs *image, const struct squashfs_inode *inode,
			     uint64_t block, uint64_t stride, uint64_t *data, uint64_t *where)
{
	uint64_t mark = 0;
	struct file_map *map;

	*data = inode->start;
	*where = inode->where;
	if (block < stride)
		return 0;
	(void)pthread_mutex_lock(&image->lock);
	map = find_map(image, inode->ref);
	if (map) {
		mark = block / stride;
		mark = mark < map->count ? mark : map->count - 1;
		*data = map->mark[mark].data;
		*where = map->mark[mark].where;
	}
	(void)pthread_mutex_unlock(&image->lock);
	return mark * stride;
}

/* Note mark @mark, if it is the next one of the file's map. */
static void add_mark(struct squashfs *image, const struct squashfs_inode *inode, uint64_t mark,
		     uint64_t data, uint64_t where)
{
	struct file_map *map;

	(void)pthread_mutex_lock(&image->lock);
	map = find_map(image, inode->ref);
	if (!map || map->count == map->room) {
		uint64_t room = map ? 2 * map->room : 16;
		struct file_map *grown = realloc(map, sizeof(*map) + room * sizeof(map->mark[0]));

		if (!grown) {
			(void)pthread_mutex_unlock(&image->lock);
			return;
		}
		if (!map) {
			file_map_free(image->map[FILE_MAPS - 1]);
			memmove(&image->map[1], &image->map[0],
				(FILE_MAPS - 1) * sizeof(image->map[0]));
			grown->ref = inode->ref;
			grown->count = 1;
			grown->mark[0].data = inode->start;
			grown->mark[0].where = inode->where;
		}
		grown->room = room;
		image->map[0] = map = grown;
	}
	if (map->count == mark) {
		map->mark[mark].data = data;
		map->mark[mark].where = where;
		map->count++;
	}
	(void)pthread_mutex_unlock(&image->lock);
}

/* A walk along a block list. */
struct blocks {
	struct cursor at;
	uint64_t data;	    /* where the block that comes next is stored */
	uint64_t left;	    /* blocks not yet in words */
	size_t word, words; /* in reader->words */
};

static int next_word(struct squashfs_reader *reader, struct blocks *blocks, uint32_t *word,
		     uint64_t *position, struct err *err)
{
	if (blocks->word == blocks->words) {
		size_t count = blocks->left < WORDS ? (size_t)blocks->left : WORDS;

		if (count == 0)
			return squashfs_damaged(reader->image, err, "a file has too few blocks");
		if (read_words(reader, &blocks->at, count, err) < 0)
			return -1;
		blocks->word = 0;
		blocks->words = count;
		blocks->left -= count;
	}
	*word = reader->words[blocks->word++];
	*position = blocks->data;
	blocks->data += stored_size(*word);
	return 0;
}

/* Go to block @first; only the words that are needed are read: @want blocks from there. */
static int blocks_begin(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			uint64_t first, uint64_t want, struct blocks *blocks, struct err *err)
{
	struct squashfs *image = reader->image;
	uint64_t stride = map_stride(image, inode), where;
	uint64_t block = nearest_mark(image, inode, first, stride, &blocks->data, &where);

	if (cursor_set(&blocks->at, image, &image->inodes, where >> 16, where & 0xffff, err) < 0)
		return -1;
	while (first - block >= MAP_BLOCKS) {
		if (read_words(reader, &blocks->at, MAP_BLOCKS, err) < 0)
			return -1;
		for (size_t i = 0; i < MAP_BLOCKS; i++)
			blocks->data += stored_size(reader->words[i]);
		block += MAP_BLOCKS;
		if (block % stride == 0)
			add_mark(image, inode, block / stride, blocks->data,
				 blocks->at.block << 16 | blocks->at.offset);
	}
	blocks->left = first - block + want;
	blocks->word = blocks->words = 0;
	for (; block < first; block++) {
		uint64_t position;
		uint32_t word;

		if (next_word(reader, blocks, &word, &position, err) < 0)
			return -1;
	}
	return 0;
}

/* Load the stored block and decompress it into @out. Returns the bytes of data. */
static ssize_t unpack(struct squashfs_reader *reader, uint64_t position, uint32_t word, void *out,
		      size_t room, struct err *err)
{
	uint32_t stored = stored_size(word);
	ssize_t made;

	if (word & DATA_UNCOMPRESSED) {
		if (stored > room)
			return squashfs_damaged(reader->image, err, "data at %llu is too long",
						(unsigned long long)position);
		return squashfs_load(reader->image, out, stored, position, err) < 0
			       ? -1
			       : (ssize_t)stored;
	}
	if (squashfs_load(reader->image, reader->raw, stored, position, err) < 0)
		return -1;
	made = codec_decompress(reader->codec, reader->raw, stored, out, room);
	if (made < 0)
		return squashfs_undecodable(reader->image, "data", position, err);
	return made;
}

static int fill_data(struct squashfs_reader *reader, struct block *block, struct err *err)
{
	ssize_t made = unpack(reader, block->position, block->word, block->data,
			      reader->image->info.block_size, err);

	block->size = made < 0 ? 0 : (uint32_t)made;
	return made < 0 ? -1 : 0;
}

static void add_piece(struct squashfs_span *span, const void *bytes, size_t size)
{
	span->piece[span->count++] = (struct iovec){(void *)bytes, size};
}

static int too_short(const struct squashfs *image, uint64_t position, struct err *err)
{
	return squashfs_damaged(image, err, "data at %llu is too short",
				(unsigned long long)position);
}

/* Add [@from, @from + @size) of a block that goes through the cache. */
static int add_cached(struct squashfs_reader *reader, uint64_t position, uint32_t word, size_t from,
		      size_t size, struct squashfs_span *span, struct err *err)
{
	struct block_cache *cache = reader->image->data;
	struct block *block;

	if (cache_get(cache, reader, position, word, fill_data, &block, err) < 0)
		return -1;
	span->pin[span->pin_count++] = block;
	if (from > block->size || size > block->size - from)
		return too_short(reader->image, position, err);
	add_piece(span, block->data + from, size);
	return 0;
}

/* Add a whole block: from the cache if it is there, else decompressed to its place in reader->out.
 */
static int add_whole(struct squashfs_reader *reader, uint64_t position, uint32_t word, size_t size,
		     size_t *used, struct squashfs_span *span, struct err *err)
{
	struct block *block = cache_peek(reader->image->data, position, word);
	uint8_t *out = reader->out + *used;
	ssize_t made;

	if (block) {
		span->pin[span->pin_count++] = block;
		if (block->size < size)
			return too_short(reader->image, position, err);
		add_piece(span, block->data, size);
		return 0;
	}
	made = unpack(reader, position, word, out, size, err);
	if (made < 0)
		return -1;
	if ((size_t)made != size)
		return too_short(reader->image, position, err);
	*used += size;
	add_piece(span, out, size);
	return 0;
}

static int add_block(struct squashfs_reader *reader, struct blocks *blocks, uint64_t block_bytes,
		     size_t from, size_t size, size_t *used, struct squashfs_span *span,
		     struct err *err)
{
	uint64_t position;
	uint32_t word;

	if (next_word(reader, blocks, &word, &position, err) < 0)
		return -1;
	if (stored_size(word) == 0) {
		add_piece(span, zeros, size);
		return 0;
	}
	if (from == 0 && size == block_bytes)
		return add_whole(reader, position, word, size, used, span, err);
	return add_cached(reader, position, word, from, size, span, err);
}

static int add_fragment(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			size_t from, size_t size, struct squashfs_span *span, struct err *err)
{
	struct squashfs *image = reader->image;
	uint8_t entry[16];

	if (table_entry(reader, &image->fragments, inode->fragment, entry, err) < 0)
		return -1;
	if (stored_size(le_get32(entry + 8)) == 0 ||
	    stored_size(le_get32(entry + 8)) > image->info.block_size)
		return squashfs_damaged(image, err, "fragment %u has %u bytes", inode->fragment,
					stored_size(le_get32(entry + 8)));
	return add_cached(reader, le_get64(entry), le_get32(entry + 8),
			  (size_t)inode->offset + from, size, span, err);
}

static int read_pieces(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		       uint64_t offset, size_t size, struct squashfs_span *span, struct err *err)
{
	struct squashfs *image = reader->image;
	uint32_t block_size = image->info.block_size;
	uint64_t count = block_count(image, inode);
	uint64_t block = offset >> image->block_log;
	uint64_t last = (offset + size - 1) >> image->block_log;
	struct blocks blocks;
	size_t used = 0;

	if (block < count &&
	    blocks_begin(reader, inode, block, (last < count ? last + 1 : count) - block, &blocks,
			 err) < 0)
		return -1;
	for (; size > 0; block++) {
		uint64_t begin = block << image->block_log;
		uint64_t bytes =
			inode->size - begin < block_size ? inode->size - begin : block_size;
		size_t from = (size_t)(offset - begin);
		size_t part = bytes - from < size ? (size_t)(bytes - from) : size;
		int result = block < count ? add_block(reader, &blocks, bytes, from, part, &used,
						       span, err)
					   : add_fragment(reader, inode, from, part, span, err);

		if (result < 0)
			return -1;
		offset += part;
		size -= part;
	}
	return 0;
}

ssize_t squashfs_read(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		      uint64_t offset, size_t size, struct squashfs_span *span, struct err *err)
{
	span->count = 0;
	span->pin_count = 0;
	if (!S_ISREG(inode->mode))
		return err_code(err, EINVAL, "no regular file");
	if (offset >= inode->size || size == 0)
		return 0;
	if (size > SQUASHFS_READ_MAX)
		size = SQUASHFS_READ_MAX;
	if (size > inode->size - offset)
		size = (size_t)(inode->size - offset);
	if (read_pieces(reader, inode, offset, size, span, err) < 0) {
		squashfs_span_release(reader, span);
		return -1;
	}
	return (ssize_t)size;
}

void squashfs_span_release(struct squashfs_reader *reader, struct squashfs_span *span)
{
	for (int i = 0; i < span->pin_count; i++)
		cache_put(reader->image->data, span->pin[i]);
	span->pin_count = 0;
	span->count = 0;
}

ssize_t squashfs_pread(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		       void *buffer, size_t size, uint64_t offset, struct err *err)
{
	uint8_t *to = buffer;
	size_t total = 0;

	while (total < size) {
		struct squashfs_span span;
		ssize_t got =
			squashfs_read(reader, inode, offset + total, size - total, &span, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		for (int i = 0; i < span.count; i++) {
			memcpy(to + total, span.piece[i].iov_base, span.piece[i].iov_len);
			total += span.piece[i].iov_len;
		}
		squashfs_span_release(reader, &span);
	}
	return (ssize_t)total;
}
