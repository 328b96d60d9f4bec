/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tar_private.h - between tar.c (blocks and entries), tar_number.c (fields),
 * tar_pax.c (extended headers) and tar_sparse.c (maps).
 *
 * An entry is a header of one block, its data, and padding up to the next block. Before it may
 * stand any number of entries that only speak of it: pax records, long names. They are read into
 * texts of struct tar, which stay until the entry has been given out; what they say is put
 * together in a struct tar_extended, and counts more than the header's own fields.
 *
 * All functions return 0 or more, or -1 with @err, but for the two that read numbers, whose
 * caller knows which field is wrong.
 */
#ifndef FIRN_BUILDER_TAR_TAR_PRIVATE_H
#define FIRN_BUILDER_TAR_TAR_PRIVATE_H

#include "builder/tar/tar.h"

/* Bytes of a block; attributes of one entry; pieces in one extension block of an old sparse map. */
enum { TAR_BLOCK_SIZE = 512, TAR_XATTRS_MAX = 256, TAR_OLD_SPARSE_MAX = 21 };

/*
 * ustar header (POSIX.1-2017, "ustar Interchange Format") with GNU's use of the bytes from 345 on
 * beside it (GNU tar, "Basic Tar Format"). Which of both it is says @magic. No field need end with
 * a NUL.
 */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type;
	char link[100], magic[8], uname[32], gname[32], major[8], minor[8];
	union {
		char prefix[155];
		struct {
			char atime[12], ctime[12], offset[12], longnames[4], unused;
			struct { char offset[12], size[12]; } sparse[4];
			char extended, real_size[12];
		} gnu;
	} u;
	char pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_SIZE, "a tar header is one block");

/*
 * How the entry's map of pieces is told: not at all, in old GNU headers, in pax records (0.0 with a
 * record for each number, 0.1 with one for all), or in blocks before the data (1.0).
 */
enum tar_sparse { SPARSE_NONE, SPARSE_OLD, SPARSE_0, SPARSE_1 };

/* What extended headers say of the entry to come. */
struct tar_extended {
	bool has_size, has_uid, has_gid, has_mtime, has_real_size;
	uint64_t size, uid, gid, real_size;
	int64_t mtime;
	const char *path, *link; /* NULL: unsaid. Point into text buffers of struct tar */
	enum tar_sparse sparse;
	int64_t sparse_major, sparse_minor;
	bool half; /* an offset stands without its size (0.0) */
};

/* Text of an extended header, used again for the next one. */
struct tar_text {
	char *data; /* NUL behind */
	size_t size, room;
};

/* The reader. Sizes and places in bytes. */
struct tar {
	struct stream *stream;
	uint64_t position; /* bytes of the stream that were read */
	uint64_t left;    /* stored bytes of the entry that were not read */
	uint64_t padding; /* behind them, up to the block's end */
	struct tar_extended global, next;
	struct tar_text records, global_records; /* pax: of the next entry; of all to come */
	struct tar_text path, link;              /* GNU: L; K */
	const char *long_path, *long_link;       /* what L and K said of the next entry, or NULL */
	bool cut; /* the stream ended before the archive's end was said */
	char name[256 + 1], target[101];     /* from a header's own fields */
	struct tar_segment *segment;
	size_t segment_count, segment_room;
	struct tar_xattr *xattr;
	size_t xattr_count, xattr_room;
};

/*
 * tar_number.c: an octal or base-256 field of @size bytes; blank is 0. -1 for what is neither or
 * does not fit. Base-256 numbers may be negative.
 */
int tar_number(const char *field, size_t size, int64_t *out);
/* A decimal number without sign and its end; -1 if there is none or it is above INT64_MAX. */
int tar_decimal(const char *text, const char **end, uint64_t *out);

/*
 * tar_pax.c: take over @records of an 'x' or 'g' header, which stay where they are, changed: values
 * end with a NUL, and @to points to them. An empty value takes back what was said before. Keys
 * that are not known say nothing. @global: of a 'g' header, which may not name a file or say its
 * size.
 */
int tar_take_records(struct tar *tar, struct tar_text *records, struct tar_extended *to,
		     bool global, struct err *err);

/*
 * tar_sparse.c: the map of a sparse file, tar->segment. It is read piece by piece and then checked:
 * pieces in order, none over another, none behind @real_size, and as many bytes of them as are
 * @stored. At most TAR_SEGMENTS_MAX pieces.
 */
int tar_add_segment(struct tar *tar, uint64_t offset, uint64_t size, struct err *err);
int tar_take_map_text(struct tar *tar, const char *text, struct err *err); /* 0.1 */
int tar_read_old_map(struct tar *tar, const struct tar_header *header, struct err *err);
int tar_read_map_blocks(struct tar *tar, struct err *err); /* 1.0; shortens tar->left */
int tar_check_map(struct tar *tar, uint64_t real_size, uint64_t stored, struct err *err);

/*
 * tar.c: one block of the stream, TAR_BLOCK_SIZE bytes into @block: 1, 0 at its end, -1. An end
 * within a block is damage, unless that begins with zeros only.
 */
int tar_read_block(struct tar *tar, void *block, struct err *err);

#endif
