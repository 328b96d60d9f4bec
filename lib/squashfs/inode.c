/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/squashfs/private.h"

#include <string.h>
#include <sys/stat.h>

/* Inode types; the second seven are the extended forms. */
enum {
	TYPE_DIR = 1,
	TYPE_FILE,
	TYPE_LINK,
	TYPE_BLOCK,
	TYPE_CHAR,
	TYPE_FIFO,
	TYPE_SOCKET,
	TYPE_EXTENDED = 7
};

enum { HEAD_SIZE = 16 };

static const mode_t type_mode[] = {
	[TYPE_DIR] = S_IFDIR,	  [TYPE_FILE] = S_IFREG, [TYPE_LINK] = S_IFLNK,
	[TYPE_BLOCK] = S_IFBLK,	  [TYPE_CHAR] = S_IFCHR, [TYPE_FIFO] = S_IFIFO,
	[TYPE_SOCKET] = S_IFSOCK,
};

static void set_dir(struct squashfs_inode *inode, uint32_t block, uint32_t size, uint32_t offset)
{
	/* A listing's size counts 3 more than its bytes, for "." and "..". */
	inode->start = block;
	inode->size = size < 3 ? 0 : size - 3;
	inode->offset = offset;
}

static int read_dir(struct squashfs_reader *reader, struct cursor *at, bool extended,
		    struct squashfs_inode *inode, struct err *err)
{
	uint8_t b[24];

	if (cursor_read(reader, at, b, extended ? 24 : 16, err) < 0)
		return -1;
	if (extended) {
		inode->nlink = le_get32(b);
		set_dir(inode, le_get32(b + 8), le_get32(b + 4), le_get16(b + 18));
		inode->index_count = le_get16(b + 16);
		inode->parent = le_get32(b + 12);
		inode->xattr = le_get32(b + 20);
	} else {
		inode->nlink = le_get32(b + 4);
		set_dir(inode, le_get32(b), le_get16(b + 8), le_get16(b + 10));
		inode->parent = le_get32(b + 12);
	}
	return 0;
}

static int read_file(struct squashfs_reader *reader, struct cursor *at, bool extended,
		     struct squashfs_inode *inode, struct err *err)
{
	uint8_t b[40];
	uint64_t sparse = 0;

	if (cursor_read(reader, at, b, extended ? 40 : 16, err) < 0)
		return -1;
	if (extended) {
		inode->start = le_get64(b);
		inode->size = le_get64(b + 8);
		sparse = le_get64(b + 16);
		inode->nlink = le_get32(b + 24);
		inode->fragment = le_get32(b + 28);
		inode->offset = le_get32(b + 32);
		inode->xattr = le_get32(b + 36);
	} else {
		inode->start = le_get32(b);
		inode->fragment = le_get32(b + 4);
		inode->offset = le_get32(b + 8);
		inode->size = le_get32(b + 12);
		inode->nlink = 1;
	}
	if (inode->size > INT64_MAX)
		return squashfs_damaged(reader->image, err, "a file has a size of %llu bytes",
					(unsigned long long)inode->size);
	/* As the kernel's squashfs reports it (squashfs_read_inode, i_blocks). */
	inode->blocks = inode->size > sparse ? (inode->size - sparse + 511) / 512 : 0;
	return 0;
}

static int read_link(struct squashfs_reader *reader, struct cursor *at, bool extended,
		     struct squashfs_inode *inode, struct err *err)
{
	struct cursor target;
	uint8_t b[8];

	if (cursor_read(reader, at, b, sizeof(b), err) < 0)
		return -1;
	inode->nlink = le_get32(b);
	inode->size = le_get32(b + 4);
	if (inode->size == 0 || inode->size > LINK_SIZE_MAX)
		return squashfs_damaged(reader->image, err, "a symlink has %llu bytes",
					(unsigned long long)inode->size);
	if (!extended)
		return 0;
	target = *at;
	if (cursor_read(reader, &target, NULL, inode->size, err) < 0 ||
	    cursor_read(reader, &target, b, 4, err) < 0)
		return -1;
	inode->xattr = le_get32(b);
	return 0;
}

static int read_other(struct squashfs_reader *reader, struct cursor *at, int type, bool extended,
		      struct squashfs_inode *inode, struct err *err)
{
	bool device = type == TYPE_BLOCK || type == TYPE_CHAR;
	size_t size = 4u + (device ? 4 : 0) + (extended ? 4 : 0);
	uint8_t b[12];

	if (cursor_read(reader, at, b, size, err) < 0)
		return -1;
	inode->nlink = le_get32(b);
	if (device)
		inode->rdev = le_get32(b + 4);
	if (extended)
		inode->xattr = le_get32(b + size - 4);
	return 0;
}

int squashfs_inode(struct squashfs_reader *reader, uint64_t ref, struct squashfs_inode *out,
		   struct err *err)
{
	struct squashfs *image = reader->image;
	struct squashfs_inode inode = {.ref = ref,
				       .xattr = NO_XATTR,
				       .fragment = NO_FRAGMENT,
				       .nlink = 1};
	struct cursor at;
	uint8_t head[HEAD_SIZE];
	unsigned type;
	bool extended;
	int result;

	if (ref >> 48 || cursor_set(&at, image, &image->inodes, image->inodes.start + (ref >> 16),
				    ref & 0xffff, err) < 0)
		return squashfs_damaged(image, err, "an inode reference leads nowhere (%llx)",
					(unsigned long long)ref);
	if (cursor_read(reader, &at, head, sizeof(head), err) < 0)
		return -1;
	type = le_get16(head);
	extended = type > TYPE_EXTENDED;
	type -= extended ? TYPE_EXTENDED : 0;
	if (type < TYPE_DIR || type > TYPE_SOCKET)
		return squashfs_damaged(image, err, "an inode has type %u", le_get16(head));
	/* Some writers leave the type out of the mode; the kernel's squashfs joins it to the bits.
	 */
	if (le_get16(head + 2) & S_IFMT && (le_get16(head + 2) & S_IFMT) != type_mode[type])
		return squashfs_damaged(image, err, "an inode of type %u has the mode %o",
					le_get16(head), le_get16(head + 2));
	inode.mode = type_mode[type] | (le_get16(head + 2) & 07777);
	inode.mtime = le_get32(head + 8);
	inode.ino = le_get32(head + 12);
	if (type == TYPE_DIR)
		result = read_dir(reader, &at, extended, &inode, err);
	else if (type == TYPE_FILE)
		result = read_file(reader, &at, extended, &inode, err);
	else if (type == TYPE_LINK)
		result = read_link(reader, &at, extended, &inode, err);
	else
		result = read_other(reader, &at, (int)type, extended, &inode, err);
	if (result < 0)
		return -1;
	/* Block and offset of what follows fit one number: offsets are below 2 * META_SIZE. */
	inode.where = at.block << 16 | at.offset;
	/* readdir(3) takes a 0 for a deleted entry; the kernel's squashfs refuses it, too. */
	if (inode.ino == 0)
		return squashfs_damaged(image, err, "an inode has number 0");
	inode.uid_index = le_get16(head + 4);
	inode.gid_index = le_get16(head + 6);
	if (inode.uid_index >= image->ids.count || inode.gid_index >= image->ids.count)
		return squashfs_damaged(image, err, "an inode has an owner beyond the id table");
	*out = inode;
	return 0;
}

ssize_t squashfs_readlink(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			  char *target, size_t size, struct err *err)
{
	struct cursor at;

	if (!S_ISLNK(inode->mode))
		return err_code(err, EINVAL, "no symlink");
	if (size < inode->size + 1)
		return err_code(err, ERANGE, "a symlink is too long");
	if (cursor_set(&at, reader->image, &reader->image->inodes, inode->where >> 16,
		       inode->where & 0xffff, err) < 0 ||
	    cursor_read(reader, &at, target, inode->size, err) < 0)
		return -1;
	target[inode->size] = '\0';
	if (strlen(target) != inode->size)
		return squashfs_damaged(reader->image, err, "a symlink holds a NUL");
	return (ssize_t)inode->size;
}

static int read_id(struct squashfs_reader *reader, unsigned index, uint32_t *out, struct err *err)
{
	uint8_t id[4];

	if (table_entry(reader, &reader->image->ids, index, id, err) < 0)
		return -1;
	*out = le_get32(id);
	return 0;
}

int squashfs_owner(struct squashfs_reader *reader, const struct squashfs_inode *inode,
		   uint32_t *uid, uint32_t *gid, struct err *err)
{
	if (read_id(reader, inode->uid_index, uid, err) < 0)
		return -1;
	return read_id(reader, inode->gid_index, gid, err);
}
