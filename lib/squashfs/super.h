/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * super.h - where things stand in the superblock, with which a squashfs begins.
 *
 * struct squashfs_super_block of Linux' fs/squashfs/squashfs_fs.h: fields of 2, 4 or 8 bytes,
 * little endian (lib/image/le.h), by their offset in bytes. For the reader, and for who looks at an
 * image without reading it: how long is it to be, which bytes tell it from another?
 */
#ifndef FIRN_LIB_SQUASHFS_SUPER_H
#define FIRN_LIB_SQUASHFS_SUPER_H

enum {
	SUPER_SIZE = 96,
	SUPER_MAGIC = 0x73717368, /* "hsqs" */
};

enum super_field {
	SUPER_INODES = 4,
	SUPER_MKFS_TIME = 8,
	SUPER_BLOCK_SIZE = 12,
	SUPER_FRAGMENTS = 16,
	SUPER_COMPRESSION = 20,
	SUPER_BLOCK_LOG = 22,
	SUPER_FLAGS = 24,
	SUPER_IDS = 26,
	SUPER_MAJOR = 28,
	SUPER_MINOR = 30,
	SUPER_ROOT = 32,
	SUPER_BYTES_USED = 40,
	SUPER_ID_TABLE = 48,
	SUPER_XATTR_TABLE = 56,
	SUPER_INODE_TABLE = 64,
	SUPER_DIRECTORY_TABLE = 72,
	SUPER_FRAGMENT_TABLE = 80,
	SUPER_EXPORT_TABLE = 88,
};

#endif
