/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * private.h - what the parts of the squashfs reader share.
 *
 *   squashfs.c  superblock, tables, readers
 *   codec.c     decompression, one set of contexts per reader
 *   cache.c     decompressed blocks, shared by all readers, bounded
 *   meta.c      the stream of 8 KiB metadata blocks
 *   inode.c     inodes and symlinks
 *   dir.c       listings, lookup, paths
 *   data.c      file data
 *   xattr.c     extended attributes
 *   check.c     what other readers insist on
 *
 * Positions are bytes from the beginning of the file system, not of the file, and
 * all of them come from the image: who takes one over checks it against bytes_used
 * or a table, so that the functions below read what is inside, or say "is damaged".
 */
#ifndef FIRN_LIB_SQUASHFS_PRIVATE_H
#define FIRN_LIB_SQUASHFS_PRIVATE_H

#include "lib/image/le.h"
#include "lib/own.h"
#include "lib/squashfs/squashfs.h"

#include <pthread.h>

enum {
	/* Named as in the kernel's fs/squashfs/squashfs_fs.h; sizes in bytes. */
	META_SIZE = 8192,	     /* SQUASHFS_METADATA_SIZE */
	META_UNCOMPRESSED = 1 << 15, /* in a metadata block's length */
	DATA_UNCOMPRESSED = 1 << 24, /* in a data block's length */
	BLOCK_SIZE_MIN = 1 << 12,
	BLOCK_SIZE_MAX = 1 << 20,
	NAME_SIZE_MAX = 256,  /* SQUASHFS_NAME_LEN; Linux itself allows 255 */
	LINK_SIZE_MAX = 4095, /* PATH_MAX of Linux, less the NUL: no system call takes more */
	ZLIB_WINDOW = 15,
};

/* What stands in the superblock and in inodes for "there is none" (SQUASHFS_INVALID_*). */
#define NO_TABLE UINT64_MAX
#define NO_FRAGMENT UINT32_MAX
#define NO_XATTR UINT32_MAX

/*
 * codec.c. A decoder belongs to one reader and so to one thread; the contexts of the libraries are
 * made when a block first needs them, but for xz, whose library makes one for each block.
 */
struct decoder;
int codec_new(enum squashfs_compression compression, struct decoder **out, struct err *err);
void codec_free(struct decoder *codec);
/*
 * Decompress @size bytes of @in into @out of @room bytes, never more. Returns the bytes made, which
 * may be fewer, or -1 with errno ENOMEM without memory, or EIO for damage and for more than
 * fit (no message: the caller knows where, and squashfs_undecodable() says it).
 */
ssize_t codec_decompress(struct decoder *codec, const void *in, size_t size, void *out,
			 size_t room);

/* That "@what" at @position cannot be decompressed, and why, by errno. Returns -1 with @err. */
int squashfs_undecodable(const struct squashfs *image, const char *what, uint64_t position,
			 struct err *err);

/*
 * cache.c. A decompressed block. It is read-only once it is filled, and stays as it is as long as
 * somebody has it pinned; unpinned it may be another block at any time.
 */
struct block {
	uint64_t position; /* where it is stored in the image ... */
	uint32_t word;     /* ... and its length word: together the key */
	uint32_t size;     /* bytes of data */
	uint64_t next;     /* metadata: where the next block is stored */
	uint8_t *data;
	/* private to the cache */
	unsigned pins;
	int state;
	struct block *chain, *newer, *older;
};

struct block_cache;
/*
 * Fill block->data (and size and next) for its key, by @reader of the thread that wants it; called
 * without a lock, once for all who wait. Returns 0, or -1 with @err: then the block is forgotten,
 * and each of the others tries for itself.
 */
typedef int cache_fill(struct squashfs_reader *reader, struct block *block, struct err *err);
/*
 * A cache of blocks of up to @block_size bytes, about @limit bytes of them, at least four blocks.
 * More are held only while so many are pinned. NULL without memory. Free it when no block is
 * pinned and no thread is in it.
 */
struct block_cache *cache_new(size_t block_size, size_t limit);
void cache_free(struct block_cache *cache);
/*
 * The block for a key, pinned, filled if need be: @position and the length @word together, as one
 * place may be named with two lengths by a damaged image. Waits where another thread fills it.
 * Returns 0, and the caller unpins it by cache_put(); or -1 with @err.
 */
int cache_get(struct block_cache *cache, struct squashfs_reader *reader, uint64_t position,
	      uint32_t word, cache_fill *fill, struct block **out, struct err *err);
/* The same, but only if it is there already; NULL otherwise, also while it is filled. */
struct block *cache_peek(struct block_cache *cache, uint64_t position, uint32_t word);
void cache_put(struct block_cache *cache, struct block *block);

/* A run of metadata blocks: [start, end) in the image. How many there are nothing says; each tells
 * where the next one begins. */
struct table {
	uint64_t start, end;
	const char *name;
};

/*
 * A table of two levels: positions of metadata blocks, which hold the entries.
 * The positions are loaded when the first entry is wanted and then kept.
 */
struct lookup_table {
	/* Where the positions are; NO_TABLE when the image has no such table. */
	uint64_t position;
	uint32_t count;    /* entries */
	uint32_t entry_size;
	const char *name;
	/* The positions, once they are loaded, by whichever reader is first; as stored, so little
	 * endian. */
	uint64_t *_Atomic blocks;
};

/* How many metadata blocks its entries fill: the count is a stranger's, and may be the largest. */
static inline uint64_t lookup_block_count(const struct lookup_table *table)
{
	uint64_t per_block = META_SIZE / table->entry_size;

	return (table->count + per_block - 1) / per_block;
}

struct file_map;

enum { FILE_MAPS = 16, META_HELD = 4 };

/* An open image, as all its readers share it. All but the caches, maps and tables' positions stays
 * as squashfs_open() made it, so that it is read without a lock. */
struct squashfs {
	int fd;		       /* borrowed */
	uint64_t offset, size; /* of the file system in the file */
	char *name;
	struct squashfs_info info;
	unsigned block_log, flags;
	struct table inodes, directories;
	struct lookup_table fragments, ids, xattr_ids;
	struct lookup_table exports; /* inode references by number; never looked at to read files */
	struct table xattrs; /* names and values */
	struct block_cache *meta, *data;
	pthread_mutex_t lock; /* of what follows */
	struct file_map *map[FILE_MAPS]; /* of large files; most recently used first */
};

/* What one thread needs for itself. */
struct squashfs_reader {
	struct squashfs *image;
	struct decoder *codec;
	struct block *meta[META_HELD]; /* the metadata blocks read last, pinned; newest first */
	uint8_t *raw;         /* a block as it is stored */
	uint8_t *out;         /* SQUASHFS_READ_MAX bytes, for whole blocks past the cache */
	uint32_t words[512];  /* part of a block list */
};

/* "'IMAGE' is damaged: ...", code EIO. Returns -1. */
int squashfs_damaged(const struct squashfs *image, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For gcc's analyzer, which cannot know that it is always -1. */
#define squashfs_damaged(...) (squashfs_damaged(__VA_ARGS__), -1)

/* Read exactly @size bytes at @position of the image. A place outside it is damage, an end of the
 * file where none should be, too, and both are EIO; 0 or -1. */
int squashfs_load(const struct squashfs *image, void *buffer, size_t size, uint64_t position,
		  struct err *err);

/* A place in a table's stream of metadata. */
struct cursor {
	const struct table *table;
	uint64_t block; /* position of a metadata block */
	uint32_t offset;
};

/*
 * Begin at byte @offset of the metadata block at @block. Returns 0, or -1 with @err if that is not
 * within @table; whether a block begins there shows when it is read.
 */
int cursor_set(struct cursor *cursor, const struct squashfs *image, const struct table *table,
	       uint64_t block, uint32_t offset, struct err *err);
/*
 * Copy @size bytes and move on, over the borders of blocks; @buffer NULL only moves on. Returns 0,
 * or -1 with @err when the table ends before: then the cursor stands anywhere.
 */
int cursor_read(struct squashfs_reader *reader, struct cursor *cursor, void *buffer, size_t size,
		struct err *err);
/*
 * Look at the next bytes where they are: returns how many lie in one piece at @bytes, at least 1,
 * without a copy, or -1 with @err. Does not move on. Valid until the reader reads on.
 */
ssize_t cursor_peek(struct squashfs_reader *reader, struct cursor *cursor, const uint8_t **bytes,
		    struct err *err);

/* The metadata block at @position: how many bytes it holds, and where the next one would be.
 * Returns 0, or -1 with @err when none is there. */
int meta_block(struct squashfs_reader *reader, uint64_t position, uint32_t *size, uint64_t *next,
	       struct err *err);

/* Copy entry @index of a table to @entry, which has room for it. An index beyond it is damage. */
int table_entry(struct squashfs_reader *reader, struct lookup_table *table, uint32_t index,
		void *entry, struct err *err);

/* data.c: the map of a large file, which says where every so many of its blocks are, so that a read
 * at its end does not add up all sizes before. NULL is fine. */
void file_map_free(struct file_map *map);

#endif
