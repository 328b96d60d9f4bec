/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What other readers insist on and this one does without: that nothing lies between the tables
 * nor behind them, and that counts and flags are those of what is there. The kernel and
 * unsquashfs refuse a file otherwise, or read something else.
 */
#include "lib/squashfs/private.h"

enum {
	OPTIONS_AT = 96, /* behind the superblock */
	/* Named as in the kernel's fs/squashfs/squashfs_fs.h. */
	FLAG_NO_FRAGMENTS = 1 << 4,
	FLAG_EXPORT = 1 << 7,
	FLAG_NO_XATTRS = 1 << 9,
	FLAG_OPTIONS = 1 << 10,
	FLAGS = (1 << 12) - 1,
};

/* Where the next thing must be. */
struct table_walk {
	struct squashfs_reader *reader;
	uint64_t at;
};

static bool is_there(const struct lookup_table *table)
{
	return table->position != NO_TABLE && table->count > 0;
}

static int load_position(const struct squashfs *image, uint64_t at, uint64_t *out, struct err *err)
{
	uint8_t bytes[8];

	if (squashfs_load(image, bytes, sizeof(bytes), at, err) < 0)
		return -1;
	*out = le_get64(bytes);
	return 0;
}

static int misplaced(const struct table_walk *walk, const char *name, struct err *err)
{
	return squashfs_damaged(walk->reader->image, err,
				"the %s table is not where the one before it ends", name);
}

/* Metadata blocks up to @end, of which only the last one may be less than full. */
static int walk_run(struct table_walk *walk, const char *name, uint64_t end, struct err *err)
{
	while (walk->at < end) {
		uint32_t size;
		uint64_t next;

		if (meta_block(walk->reader, walk->at, &size, &next, err) < 0)
			return -1;
		if (size != META_SIZE && next != end)
			return squashfs_damaged(walk->reader->image, err,
						"the %s table ends early, at %llu", name,
						(unsigned long long)walk->at);
		walk->at = next;
	}
	return walk->at == end ? 0 : misplaced(walk, name, err);
}

/* The blocks of entries, each where its position says, then the positions behind @head bytes. */
static int walk_lookup(struct table_walk *walk, const struct lookup_table *table, uint64_t head,
		       struct err *err)
{
	const struct squashfs *image = walk->reader->image;
	uint64_t blocks = lookup_block_count(table),
		 left = (uint64_t)table->count * table->entry_size;

	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t position;
		uint32_t size;

		if (load_position(image, table->position + 8 * i, &position, err) < 0)
			return -1;
		if (position != walk->at)
			return misplaced(walk, table->name, err);
		if (meta_block(walk->reader, walk->at, &size, &walk->at, err) < 0)
			return -1;
		if (size != (left < META_SIZE ? left : META_SIZE))
			return squashfs_damaged(image, err,
						"the %s table does not have the %u entries that "
						"are counted",
						table->name, table->count);
		left -= size;
	}
	if (table->position - head != walk->at)
		return misplaced(walk, table->name, err);
	walk->at = table->position + 8 * blocks;
	return 0;
}

/* Where the listings end: at the first block of the table behind them. */
static int end_of_listings(const struct squashfs *image, uint64_t *out, struct err *err)
{
	const struct lookup_table *next = is_there(&image->fragments) ? &image->fragments
					  : is_there(&image->exports) ? &image->exports
								      : &image->ids;

	return load_position(image, next->position, out, err);
}

static int walk_xattrs(struct table_walk *walk, struct err *err)
{
	const struct squashfs *image = walk->reader->image;
	const struct lookup_table *ids = &image->xattr_ids;
	const uint64_t head = 16; /* struct squashfs_xattr_id_table */
	uint64_t end;

	if (ids->position == NO_TABLE)
		return 0;
	if (ids->count > 0) {
		if (image->xattrs.start != walk->at)
			return misplaced(walk, image->xattrs.name, err);
		if (load_position(image, ids->position, &end, err) < 0 ||
		    walk_run(walk, image->xattrs.name, end, err) < 0)
			return -1;
	}
	return walk_lookup(walk, ids, head, err);
}

static int walk_tables(const struct squashfs *image, struct table_walk *walk, struct err *err)
{
	uint64_t end;

	walk->at = image->inodes.start;
	if (end_of_listings(image, &end, err) < 0 ||
	    walk_run(walk, image->inodes.name, image->directories.start, err) < 0 ||
	    walk_run(walk, image->directories.name, end, err) < 0)
		return -1;
	/* Without an entry its place is of no account; some writers name one. */
	if (image->fragments.count == 0 && image->fragments.position != NO_TABLE &&
	    image->fragments.position != walk->at)
		return misplaced(walk, image->fragments.name, err);
	if ((is_there(&image->fragments) && walk_lookup(walk, &image->fragments, 0, err) < 0) ||
	    (is_there(&image->exports) && walk_lookup(walk, &image->exports, 0, err) < 0) ||
	    walk_lookup(walk, &image->ids, 0, err) < 0 || walk_xattrs(walk, err) < 0)
		return -1;
	if (walk->at != image->info.bytes_used)
		return squashfs_damaged(image, err,
					"it ends at %llu, and says that it does at %llu",
					(unsigned long long)walk->at,
					(unsigned long long)image->info.bytes_used);
	return 0;
}

/* The compressor's options are in a metadata block that is not compressed. */
static int check_options(struct table_walk *walk, struct err *err)
{
	static const uint32_t sizes[] = {
		[SQUASHFS_GZIP] = 8, [SQUASHFS_XZ] = 8, [SQUASHFS_LZ4] = 8, [SQUASHFS_ZSTD] = 4};
	const struct squashfs *image = walk->reader->image;
	uint8_t head[2];

	if (squashfs_load(image, head, sizeof(head), OPTIONS_AT, err) < 0)
		return -1;
	if (le_get16(head) != (META_UNCOMPRESSED | sizes[image->info.compression]))
		return squashfs_damaged(image, err, "the options of its compression are not there");
	return 0;
}

static int check_flags(struct table_walk *walk, struct err *err)
{
	const struct squashfs *image = walk->reader->image;
	unsigned flags = image->flags;

	if (flags & ~(unsigned)FLAGS ||
	    !(flags & FLAG_EXPORT) != (image->exports.position == NO_TABLE) ||
	    (flags & FLAG_NO_FRAGMENTS && image->fragments.count > 0) ||
	    (flags & FLAG_NO_XATTRS && image->info.has_xattrs))
		return squashfs_damaged(image, err, "its flags, %x, are not those of what is in it",
					flags);
	return flags & FLAG_OPTIONS ? check_options(walk, err) : 0;
}

int squashfs_check(struct squashfs_reader *reader, struct err *err)
{
	struct table_walk walk = {reader, 0};

	return check_flags(&walk, err) < 0 ? -1 : walk_tables(reader->image, &walk, err);
}

int squashfs_export(struct squashfs_reader *reader, uint32_t ino, uint64_t *ref, struct err *err)
{
	struct lookup_table *exports = &reader->image->exports;
	uint8_t entry[8];

	if (exports->position == NO_TABLE)
		return 0;
	if (ino == 0 || table_entry(reader, exports, ino - 1, entry, err) < 0)
		return ino ? -1 : err_code(err, EINVAL, "no inode has number 0");
	*ref = le_get64(entry);
	return 1;
}
