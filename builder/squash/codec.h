/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * codec.h - how an image's blocks are compressed: a name, a level, a block size.
 *
 * The ids are those of the superblock (squashfs-tools-ng's sqfs/super.h, from the
 * kernel's fs/squashfs/squashfs_fs.h).
 */
#ifndef FIRN_BUILDER_SQUASH_CODEC_H
#define FIRN_BUILDER_SQUASH_CODEC_H

#include "lib/err.h"

#include <stdint.h>

/* What is asked for; @name is the table's. */
struct codec {
	const char *name;   /* "zstd" ... "none" */
	int level;          /* -1 for codecs without */
	uint32_t block_size; /* bytes, a power of two, 4 KiB to 1 MiB */
};

/*
 * "zstd", "zstd:15", "gzip:9", "lz4", "xz", "none": fills name and level, not the block size.
 * Returns 0, or -1 with @err saying which names or levels there are.
 */
int codec_parse(const char *text, struct codec *out, struct err *err);
/* Version of the library that compresses, for the provenance: "1.5.4"; "" for none. Static. */
const char *codec_library_version(const struct codec *codec);

/* A row of the table. "none" has the id of gzip: squashfs wants one, and marks blocks as stored. */
struct codec_kind {
	const char *name;
	int id;              /* SQFS_COMPRESSOR */
	int level, min, max; /* default and range; max 0: no levels */
	const char *(*version)(void);
};

/* The row of the table that @codec, which codec_parse() filled, names. */
const struct codec_kind *codec_kind(const struct codec *codec);

#endif
