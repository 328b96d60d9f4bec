/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tar.h - read a tar archive that nobody vouches for, byte for byte.
 *
 * Formats: POSIX.1-2017 "pax Interchange Format" and "ustar Interchange Format",
 * and what GNU tar adds (GNU tar manual, "Basic Tar Format", "Storing Sparse
 * Files"): long names (L, K), base-256 numbers, sparse files of the old, 0.0,
 * 0.1 and 1.0 kinds. Names are bytes: no locale, no conversion. Extended
 * attributes are SCHILY.xattr.* records, as all container tools write them. Where an
 * entry has names of both kinds the pax one counts, in whatever order they came.
 *
 * An archive may end behind its last file's last byte, without padding and the two
 * blocks of zeros: such are in use (umoci insert up to 0.4.7), and Go's tools take
 * them. One that ends inside a file, a header or in front of an announced entry is
 * damaged.
 *
 * Numbers, names, records and maps are checked against the limits below before
 * memory is spent on them.
 */
#ifndef FIRN_BUILDER_TAR_TAR_H
#define FIRN_BUILDER_TAR_TAR_H

#include "builder/tar/stream.h"

enum {
	TAR_NAME_MAX = 4095,          /* bytes of a path or of a link's target */
	TAR_RECORDS_MAX = 1 << 20,    /* bytes of one extended header */
	TAR_SEGMENTS_MAX = 1 << 18,   /* pieces of one sparse file */
};

enum tar_type {
	TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIRECTORY, TAR_FIFO,
};

/* An extended attribute; of two of one name the last one counts. */
struct tar_xattr {
	const char *name; /* with its prefix: "user.x" */
	size_t size;
	const void *value;
};

/* A piece of a sparse file; they are in order and do not overlap. */
struct tar_segment {
	uint64_t offset, size; /* bytes of the file that are there; the rest are zeros */
};

/* What an entry says; strings belong to the reader and last until tar_next(). */
struct tar_entry {
	enum tar_type type;
	const char *path;   /* as it stands in the archive */
	const char *link;   /* hard links and symlinks */
	uint32_t mode;      /* permissions, 07777 */
	uint32_t uid, gid;
	int64_t mtime;      /* seconds; fractions are cut off downwards */
	uint32_t major, minor;
	uint64_t size;      /* of the file, bytes */
	uint64_t stored;    /* bytes that tar_read() will give: less than size when sparse */
	const struct tar_segment *segment; /* NULL: not sparse */
	size_t segment_count;
	const struct tar_xattr *xattr;
	size_t xattr_count;
};

struct tar;

/*
 * @stream, which is borrowed, stands at the archive's beginning. Nothing is read yet. Returns 0,
 * or -1 without memory.
 */
int tar_open(struct stream *stream, struct tar **out, struct err *err);
void tar_free(struct tar *tar);
void tar_freep(struct tar **tar);
#define auto_tar CLEANUP(tar_freep) struct tar

/*
 * The next entry: 1, or 0 at the end, or -1 with @err. What was not read of the last one is
 * skipped. After a failure nothing more can be read.
 */
int tar_next(struct tar *tar, struct tar_entry *entry, struct err *err);

/*
 * Stored bytes of the entry, in order, up to @size; 0 at their end, -1 with @err. Of a sparse file
 * the pieces behind each other, without what is between them.
 */
ssize_t tar_read(struct tar *tar, void *buffer, size_t size, struct err *err);

/* How many bytes of the stream were read: where the entry's stored bytes go on. */
uint64_t tar_position(const struct tar *tar);

/* After the end: the stream ended where the archive did not say that it does. */
bool tar_is_cut(const struct tar *tar);

#endif
