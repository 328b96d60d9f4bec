/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * squashfs.h - read a squashfs 4.0 image that nobody vouches for.
 *
 * One struct squashfs is shared by all threads: it holds the tables and a
 * bounded cache of decompressed metadata and data blocks. Each thread that
 * reads has a struct squashfs_reader of its own, which holds its decompression
 * contexts and scratch buffers: one context per thread, never one per block, but
 * for xz, whose library has none that could be used again for another block.
 *
 * Every size, count and position that comes from the image is checked against
 * the image and against a named limit before it is used. The image is read
 * with pread only, never mapped: a truncated file gives EIO, not SIGBUS.
 *
 * Functions that read return 0 (or a count), or -1 with @err; err->code is then
 * an errno value fit to be sent to a file system client: EIO for a damaged
 * image, ENOENT, ENOTDIR, EINVAL, ENODATA, ERANGE, ENOMEM.
 *
 * Format: Linux Documentation/filesystems/squashfs.rst and
 * fs/squashfs/squashfs_fs.h (all numbers little endian).
 */
#ifndef FIRN_LIB_SQUASHFS_SQUASHFS_H
#define FIRN_LIB_SQUASHFS_SQUASHFS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct squashfs;
struct squashfs_reader;

enum squashfs_compression { /* superblock field compression_id */
	SQUASHFS_GZIP = 1,
	SQUASHFS_LZMA = 2, /* not supported */
	SQUASHFS_LZO = 3,  /* not supported */
	SQUASHFS_XZ = 4,
	SQUASHFS_LZ4 = 5,
	SQUASHFS_ZSTD = 6,
};

/* What the superblock says, checked. */
struct squashfs_info {
	uint32_t inode_count;
	uint32_t block_size;  /* bytes, a power of two, 4 KiB to 1 MiB */
	uint32_t created;     /* seconds since the epoch */
	uint64_t bytes_used;  /* of the file system, without padding or trailer */
	uint64_t root;        /* inode reference of the root directory */
	enum squashfs_compression compression;
	bool has_xattrs;      /* false: no inode of this image has an extended attribute */
};

/* How much memory an image may take, for all of its readers; a reader has 2 MiB and its contexts
 * beside. */
struct squashfs_options {
	size_t cache_size; /* bytes for decompressed data blocks and fragments; 0: 16 MiB */
	size_t metadata_size; /* bytes for decompressed metadata; 0: 16 MiB */
};

/* A decoded inode: plain values, owned by the caller, valid as long as the image. */
struct squashfs_inode {
	uint64_t ref;     /* where it is: (metadata block << 16 | offset), the key of everything */
	uint32_t ino;     /* the image's inode number */
	mode_t mode;      /* type and permissions, as in stat(2) */
	uint16_t uid_index, gid_index; /* see squashfs_owner() */
	uint32_t nlink;		       /* as stored, as all of these: no name was counted */
	uint32_t parent;	       /* directories only: the number of the one it is in */
	uint32_t mtime;   /* seconds since the epoch */
	uint32_t rdev;    /* devices only, Linux encoding as stored */
	uint64_t size;    /* bytes: file data, symlink target or directory listing */
	uint64_t blocks;  /* 512-byte units for st_blocks */
	uint32_t xattr;   /* index into the xattr table, UINT32_MAX for none */

	/* Private to squashfs*.c: */
	uint64_t where;        /* what follows the fixed part: block list, index, target */
	uint64_t start;        /* first data block, or the directory's listing block */
	uint32_t fragment;     /* UINT32_MAX for none */
	uint32_t offset;       /* in the fragment, or in the directory's listing block */
	uint32_t index_count;  /* of a long directory's index */
};

/* "zstd", "gzip" and so on, for people; "unknown" for anything else. Static. */
const char *squashfs_compression_name(enum squashfs_compression compression);

/*
 * Open the image that begins at @offset of @fd and may extend for @size bytes.
 * @name is used in messages. @fd is borrowed and stays the caller's; it must
 * outlive the image. @options may be NULL. Reads the superblock and checks all
 * tables' places; tables themselves are read when first needed.
 */
int squashfs_open(int fd, uint64_t offset, uint64_t size, const char *name,
		  const struct squashfs_options *options, struct squashfs **out, struct err *err);
void squashfs_close(struct squashfs *image);
void squashfs_closep(struct squashfs **image);
#define auto_squashfs CLEANUP(squashfs_closep) struct squashfs

const struct squashfs_info *squashfs_info(const struct squashfs *image);

/*
 * A reader for the calling thread; one thread at a time may use it. Returns 0, or -1 without
 * memory. Free it before its image is closed, on whatever thread.
 */
int squashfs_reader_new(struct squashfs *image, struct squashfs_reader **out, struct err *err);
void squashfs_reader_free(struct squashfs_reader *reader);
struct squashfs *squashfs_reader_image(const struct squashfs_reader *reader);
void squashfs_reader_freep(struct squashfs_reader **reader);
#define auto_squashfs_reader CLEANUP(squashfs_reader_freep) struct squashfs_reader

/* Decode the inode at @ref. A @ref made up by a client is found out (EIO), not believed. */
int squashfs_inode(struct squashfs_reader *reader, uint64_t ref, struct squashfs_inode *out,
		   struct err *err);

/* The owner and group that the image gives an inode, in the image's own numbers; nobody is mapped.
 * Takes a look at the id table. Returns 0, or -1 with @err. */
int squashfs_owner(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		   uint32_t *uid, uint32_t *gid, struct err *err);

/*
 * Find @name (@len bytes, no slash) in directory @dir. Returns 1 and @ref when
 * found, 0 when there is no such entry, -1 on failure. Uses the directory index
 * of long directories.
 */
int squashfs_lookup(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		    const char *name, size_t len, uint64_t *ref, struct err *err);

/*
 * Go through a directory's entries in stored (byte) order. @position is 0 for
 * the first entry and afterwards what the last call left there: any thread may
 * go on from it, it depends on the image alone. "." and ".." are not listed.
 * Returns 1 and @entry, 0 at the end, -1 on failure (names with '/' or NUL, or
 * empty, or longer than 255 are damage).
 */
struct squashfs_entry {
	uint64_t ref;
	uint32_t ino;
	mode_t type; /* S_IFMT bits */
	size_t len;
	char name[256]; /* with a NUL behind */
};
int squashfs_next(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		  uint64_t *position, struct squashfs_entry *entry, struct err *err);

/*
 * The same for all entries from @position on, without finding the place anew
 * for each. @visit gets an entry and the position behind it, and ends the walk by
 * returning anything but 0, which is then returned. Returns 0 at the end, -1 on failure.
 */
typedef int squashfs_visit(void *arg, const struct squashfs_entry *entry, uint64_t position);
int squashfs_each(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		  uint64_t position, squashfs_visit *visit, void *arg, struct err *err);

/*
 * The target of a symlink, NUL-terminated, into @target of @size bytes. Returns its length without
 * the NUL, at most 4095, or -1: EINVAL for what is no symlink, ERANGE when @size is too small.
 */
ssize_t squashfs_readlink(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			  char *target, size_t size, struct err *err);

/*
 * Read up to @size bytes at @offset of a regular file. Returns the bytes read,
 * less than @size only at the end of the file. The data is described by
 * @span: pieces that point into cached blocks, which stay pinned, or into the
 * reader's own buffer (holes point to zeros), in order. The caller sends or
 * copies them and then calls squashfs_span_release(), before it reads again
 * with the same @reader. Whole blocks are decompressed into the reader's
 * buffer past the cache; parts of blocks and fragments go through the cache.
 * @size is at most SQUASHFS_READ_MAX.
 */
enum { SQUASHFS_READ_MAX = 1 << 20, SQUASHFS_SPAN_MAX = 260 };
struct squashfs_span {
	int count;
	struct iovec piece[SQUASHFS_SPAN_MAX];
	int pin_count;
	void *pin[SQUASHFS_SPAN_MAX]; /* private: pinned cache blocks */
};
ssize_t squashfs_read(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		      uint64_t offset, size_t size, struct squashfs_span *span, struct err *err);
void squashfs_span_release(struct squashfs_reader *reader, struct squashfs_span *span);

/* The same, copied into @buffer, and of any @size. For tools and the launcher; the server uses
 * spans. Returns the bytes read, or -1 with @err. */
ssize_t squashfs_pread(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		       void *buffer, size_t size, uint64_t offset, struct err *err);

/*
 * Names of @inode's extended attributes, each with its prefix and a NUL, as
 * listxattr(2) gives them. With @size 0 only the needed size is returned;
 * ERANGE when @size is too small.
 */
ssize_t squashfs_listxattr(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			   char *list, size_t size, struct err *err);
/* One value by its full name; ENODATA when the inode has none such, ERANGE when @size is too small,
 * and with @size 0 the needed size, as getxattr(2). Values hold any bytes. */
ssize_t squashfs_getxattr(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			  const char *name, void *value, size_t size, struct err *err);

/*
 * Whether tables, counts and flags are as other readers insist on, though this one does without:
 * the tables one behind the other, with as many entries as are counted, up to bytes_used. Reads all
 * metadata once. Returns 0, or -1 with @err; the files themselves are not looked at.
 */
int squashfs_check(struct squashfs_reader *reader, struct err *err);
/* The reference that the table for NFS has for inode number @ino. Returns 1, 0 when the image has
 * no such table, -1 on failure. */
int squashfs_export(struct squashfs_reader *reader, uint32_t ino, uint64_t *ref, struct err *err);

/*
 * Resolve @path from the root, following symlinks inside the image only (an
 * absolute target starts at the image's root, ".." stops there; at most 40
 * links). Returns 1 with @out, 0 when it does not exist, -1 on failure.
 */
int squashfs_resolve(struct squashfs_reader *reader, const char *path, struct squashfs_inode *out,
		     struct err *err);

#endif
