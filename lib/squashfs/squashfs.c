/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/squashfs/private.h"

#include "lib/file.h"
#include "lib/squashfs/super.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CACHE_DEFAULT = 16 << 20 };

const char *squashfs_compression_name(enum squashfs_compression compression)
{
	static const char *const names[] = {
		[SQUASHFS_GZIP] = "gzip", [SQUASHFS_LZMA] = "lzma", [SQUASHFS_LZO] = "lzo",
		[SQUASHFS_XZ] = "xz",	  [SQUASHFS_LZ4] = "lz4",   [SQUASHFS_ZSTD] = "zstd",
	};

	if ((size_t)compression >= COUNT_OF(names) || !names[compression])
		return "unknown";
	return names[compression];
}

int(squashfs_damaged)(const struct squashfs *image, struct err *err, const char *format, ...)
{
	char cause[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(cause, sizeof(cause), format, args);
	va_end(args);
	(void)err_set(err, "'%s' is damaged: %s", image->name, cause);
	err->code = EIO;
	return -1;
}

int squashfs_undecodable(const struct squashfs *image, const char *what, uint64_t position,
			 struct err *err)
{
	if (errno == ENOMEM)
		return err_sys(err, "cannot read %s of '%s'", what, image->name);
	return squashfs_damaged(image, err, "%s at %llu cannot be decompressed", what,
				(unsigned long long)position);
}

int squashfs_load(const struct squashfs *image, void *buffer, size_t size, uint64_t position,
		  struct err *err)
{
	ssize_t got;

	if (position > image->size || size > image->size - position)
		return squashfs_damaged(image, err, "%zu bytes at %llu lie outside", size,
					(unsigned long long)position);
	got = file_read_at(image->fd, buffer, size, image->offset + position);
	if (got < 0) {
		(void)err_sys(err, "cannot read '%s'", image->name);
		err->code = EIO;
		return -1;
	}
	if ((size_t)got < size)
		return squashfs_damaged(image, err, "the file ends early, at %llu",
					(unsigned long long)(image->offset + position +
							     (uint64_t)got));
	return 0;
}

static int check_compression(struct squashfs *image, struct err *err)
{
	switch (image->info.compression) {
	case SQUASHFS_GZIP:
	case SQUASHFS_XZ:
	case SQUASHFS_LZ4:
	case SQUASHFS_ZSTD:
		return 0;
	default:
		return err_set(
			err,
			"'%s' has compression '%s' (%u), which is not supported; make it with zstd",
			image->name, squashfs_compression_name(image->info.compression),
			(unsigned)image->info.compression);
	}
}

static int check_super(struct squashfs *image, const uint8_t *super, struct err *err)
{
	struct squashfs_info *info = &image->info;
	unsigned major = le_get16(super + SUPER_MAJOR), minor = le_get16(super + SUPER_MINOR);

	if (le_get32(super) != SUPER_MAGIC)
		return err_set(err, "'%s' is not a squashfs image", image->name);
	if (major != 4 || minor != 0)
		return err_set(err, "'%s' is squashfs version %u.%u; only 4.0 is supported",
			       image->name, major, minor);
	if (check_compression(image, err) < 0)
		return -1;
	if (info->block_size < BLOCK_SIZE_MIN || info->block_size > BLOCK_SIZE_MAX ||
	    image->block_log > 20 || info->block_size != 1u << image->block_log)
		return squashfs_damaged(image, err, "its block size is %u", info->block_size);
	if (info->bytes_used < SUPER_SIZE)
		return squashfs_damaged(image, err, "its size is given as %llu bytes",
					(unsigned long long)info->bytes_used);
	if (info->bytes_used > image->size)
		return err_set(err, "'%s' is truncated: %llu of %llu bytes are missing",
			       image->name, (unsigned long long)(info->bytes_used - image->size),
			       (unsigned long long)info->bytes_used);
	if (info->inode_count == 0 || image->ids.count == 0)
		return squashfs_damaged(image, err, "it has no inodes or no ids");
	return 0;
}

/* A table of pointers to metadata blocks must lie inside, pointers and all. */
static int check_lookup(const struct squashfs *image, const struct lookup_table *table,
			struct err *err)
{
	uint64_t bytes = 8 * lookup_block_count(table);

	if (table->position < SUPER_SIZE || table->position > image->info.bytes_used ||
	    bytes > image->info.bytes_used - table->position)
		return squashfs_damaged(image, err, "the %s table lies outside", table->name);
	return 0;
}

static int check_tables(struct squashfs *image, struct err *err)
{
	const struct table *inodes = &image->inodes, *directories = &image->directories;
	uint64_t used = image->info.bytes_used;

	if (inodes->start < SUPER_SIZE || inodes->start >= inodes->end || inodes->end > used ||
	    directories->start >= directories->end || directories->end > used)
		return squashfs_damaged(image, err, "its tables lie outside or out of order");
	if (check_lookup(image, &image->ids, err) < 0)
		return -1;
	return image->fragments.count == 0 ? 0 : check_lookup(image, &image->fragments, err);
}

/* struct squashfs_xattr_id_table: {u64 kv_start, u32 count, u32 unused}, pointers behind. */
static int read_xattr_table(struct squashfs *image, struct err *err)
{
	uint8_t head[16];

	if (image->xattr_ids.position == NO_TABLE)
		return 0;
	if (squashfs_load(image, head, sizeof(head), image->xattr_ids.position, err) < 0)
		return -1;
	image->xattr_ids.position += sizeof(head);
	image->xattrs = (struct table){le_get64(head), image->info.bytes_used, "xattr"};
	image->xattr_ids.count = le_get32(head + 8);
	if (image->xattr_ids.count == 0)
		return 0;
	if (image->xattrs.start < SUPER_SIZE || image->xattrs.start >= image->xattrs.end)
		return squashfs_damaged(image, err, "the xattr table lies outside");
	image->info.has_xattrs = true;
	return check_lookup(image, &image->xattr_ids, err);
}

/* Where the directory table ends: at whatever table follows it. */
static uint64_t directories_end(const struct squashfs *image)
{
	const uint64_t after[] = {image->fragments.position, image->ids.position,
				  image->xattr_ids.position};
	uint64_t end = image->info.bytes_used;

	for (size_t i = 0; i < COUNT_OF(after); i++)
		if (after[i] > image->directories.start && after[i] < end)
			end = after[i];
	return end;
}

static int read_super(struct squashfs *image, struct err *err)
{
	uint8_t super[SUPER_SIZE];

	if (image->size < sizeof(super))
		return err_set(err, "'%s' is too short to be an image", image->name);
	if (squashfs_load(image, super, sizeof(super), 0, err) < 0)
		return -1;
	image->info.inode_count = le_get32(super + SUPER_INODES);
	image->info.block_size = le_get32(super + SUPER_BLOCK_SIZE);
	image->info.created = le_get32(super + SUPER_MKFS_TIME);
	image->info.bytes_used = le_get64(super + SUPER_BYTES_USED);
	image->info.root = le_get64(super + SUPER_ROOT);
	image->info.compression = le_get16(super + SUPER_COMPRESSION);
	image->block_log = le_get16(super + SUPER_BLOCK_LOG);
	image->fragments = (struct lookup_table){.position = le_get64(super + SUPER_FRAGMENT_TABLE),
						 .count = le_get32(super + SUPER_FRAGMENTS),
						 .entry_size = 16,
						 .name = "fragment"};
	image->ids = (struct lookup_table){.position = le_get64(super + SUPER_ID_TABLE),
					   .count = le_get16(super + SUPER_IDS),
					   .entry_size = 4,
					   .name = "id"};
	image->xattr_ids = (struct lookup_table){.position = le_get64(super + SUPER_XATTR_TABLE),
						 .entry_size = 16,
						 .name = "xattr"};
	image->exports = (struct lookup_table){.position = le_get64(super + SUPER_EXPORT_TABLE),
					       .count = image->info.inode_count,
					       .entry_size = 8,
					       .name = "export"};
	image->flags = le_get16(super + SUPER_FLAGS);
	image->inodes = (struct table){le_get64(super + SUPER_INODE_TABLE),
				       le_get64(super + SUPER_DIRECTORY_TABLE), "inode"};
	image->directories =
		(struct table){le_get64(super + SUPER_DIRECTORY_TABLE), 0, "directory"};
	if (check_super(image, super, err) < 0)
		return -1;
	/* From here on nothing behind the file system is read. */
	image->size = image->info.bytes_used;
	image->directories.end = directories_end(image);
	return check_tables(image, err) < 0 ? -1 : read_xattr_table(image, err);
}

int squashfs_open(int fd, uint64_t offset, uint64_t size, const char *name,
		  const struct squashfs_options *options, struct squashfs **out, struct err *err)
{
	auto_squashfs *image = calloc(1, sizeof(*image));
	size_t data = options && options->cache_size ? options->cache_size : CACHE_DEFAULT;
	size_t meta = options && options->metadata_size ? options->metadata_size : CACHE_DEFAULT;

	if (!image)
		return err_sys(err, "cannot open '%s'", name);
	(void)pthread_mutex_init(&image->lock, NULL);
	image->fd = fd;
	image->offset = offset;
	image->size = size;
	image->name = strdup(name);
	if (!image->name)
		return err_sys(err, "cannot open '%s'", name);
	if (read_super(image, err) < 0)
		return -1;
	image->meta = cache_new(META_SIZE, meta);
	image->data = cache_new(image->info.block_size, data);
	if (!image->meta || !image->data)
		return err_sys(err, "cannot open '%s'", name);
	*out = take_ptr(&image);
	return 0;
}

void squashfs_close(struct squashfs *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < FILE_MAPS; i++)
		file_map_free(image->map[i]);
	free(image->fragments.blocks);
	free(image->ids.blocks);
	free(image->xattr_ids.blocks);
	free(image->exports.blocks);
	cache_free(image->meta);
	cache_free(image->data);
	(void)pthread_mutex_destroy(&image->lock);
	free(image->name);
	free(image);
}

void squashfs_closep(struct squashfs **image)
{
	squashfs_close(*image);
}

const struct squashfs_info *squashfs_info(const struct squashfs *image)
{
	return &image->info;
}

int squashfs_reader_new(struct squashfs *image, struct squashfs_reader **out, struct err *err)
{
	auto_squashfs_reader *reader = calloc(1, sizeof(*reader));
	size_t raw =
		image->info.block_size < 2 * META_SIZE ? 2 * META_SIZE : image->info.block_size;

	if (!reader)
		return err_sys(err, "cannot read '%s'", image->name);
	reader->image = image;
	if (codec_new(image->info.compression, &reader->codec, err) < 0)
		return -1;
	/* Large and untouched until used: the kernel gives pages as they are needed. */
	reader->raw = malloc(raw);
	reader->out = malloc(SQUASHFS_READ_MAX);
	if (!reader->raw || !reader->out)
		return err_sys(err, "cannot read '%s'", image->name);
	*out = take_ptr(&reader);
	return 0;
}

void squashfs_reader_free(struct squashfs_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < META_HELD && reader->meta[i]; i++)
		cache_put(reader->image->meta, reader->meta[i]);
	codec_free(reader->codec);
	free(reader->raw);
	free(reader->out);
	free(reader);
}

void squashfs_reader_freep(struct squashfs_reader **reader)
{
	squashfs_reader_free(*reader);
}

struct squashfs *squashfs_reader_image(const struct squashfs_reader *reader)
{
	return reader->image;
}
