/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/squashfs/private.h"

#include <stdio.h>
#include <string.h>

enum {
	XATTR_PREFIX_MASK = 0xff,
	XATTR_OUT_OF_LINE = 0x100, /* SQUASHFS_XATTR_VALUE_OOL */
	XATTR_VALUE_MAX = 65536,   /* XATTR_SIZE_MAX of Linux */
	XATTR_COUNT_MAX = 4096,	   /* a list is at most 64 KiB (XATTR_LIST_MAX) */
};

static const char *const prefixes[] = {"user.", "trusted.", "security."};

/* The attributes of one inode: a run of names and values. */
struct attributes {
	struct cursor at;
	uint32_t left;
};

static int kv_cursor(struct squashfs_reader *reader, struct cursor *at, uint64_t ref,
		     struct err *err)
{
	struct squashfs *image = reader->image;

	return cursor_set(at, image, &image->xattrs, image->xattrs.start + (ref >> 16),
			  ref & 0xffff, err);
}

/* Returns 1, or 0 when the inode has none. */
static int attributes_begin(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			    struct attributes *out, struct err *err)
{
	struct squashfs *image = reader->image;
	uint8_t entry[16];

	if (inode->xattr == NO_XATTR || !image->info.has_xattrs)
		return 0;
	if (table_entry(reader, &image->xattr_ids, inode->xattr, entry, err) < 0)
		return -1;
	out->left = le_get32(entry + 8);
	if (out->left > XATTR_COUNT_MAX)
		return squashfs_damaged(image, err, "an inode has %u attributes", out->left);
	return kv_cursor(reader, &out->at, le_get64(entry), err) < 0 ? -1 : 1;
}

/*
 * Read the next name, and leave @value where its length and bytes are. Names
 * with an unknown prefix come back empty. Returns 1, or 0 at the end.
 */
static int next_attribute(struct squashfs_reader *reader, struct attributes *attributes, char *name,
			  size_t room, struct cursor *value, struct err *err)
{
	uint8_t head[4], size[4], ref[8];
	unsigned type, len, prefix;
	int used = 0;

	if (attributes->left == 0)
		return 0;
	attributes->left--;
	if (cursor_read(reader, &attributes->at, head, sizeof(head), err) < 0)
		return -1;
	type = le_get16(head);
	len = le_get16(head + 2);
	prefix = type & XATTR_PREFIX_MASK;
	if (prefix < COUNT_OF(prefixes))
		used = snprintf(name, room, "%s", prefixes[prefix]);
	if (len > 255 || (size_t)used + len + 1 > room)
		return squashfs_damaged(reader->image, err, "an attribute's name has %u bytes",
					len);
	if (cursor_read(reader, &attributes->at, name + used, len, err) < 0)
		return -1;
	name[used + (int)len] = '\0';
	if (prefix >= COUNT_OF(prefixes))
		name[0] = '\0';
	*value = attributes->at;
	if (cursor_read(reader, &attributes->at, size, sizeof(size), err) < 0 ||
	    (type & XATTR_OUT_OF_LINE && le_get32(size) != sizeof(ref)))
		return squashfs_damaged(reader->image, err, "an attribute's value is misplaced");
	if (type & XATTR_OUT_OF_LINE) {
		if (cursor_read(reader, &attributes->at, ref, sizeof(ref), err) < 0)
			return -1;
		return kv_cursor(reader, value, le_get64(ref), err) < 0 ? -1 : 1;
	}
	if (le_get32(size) > XATTR_VALUE_MAX)
		return squashfs_damaged(reader->image, err, "an attribute has %u bytes",
					le_get32(size));
	return cursor_read(reader, &attributes->at, NULL, le_get32(size), err) < 0 ? -1 : 1;
}

enum { NAME_ROOM = 300 };

ssize_t squashfs_listxattr(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			   char *list, size_t size, struct err *err)
{
	struct attributes attributes;
	struct cursor value;
	char name[NAME_ROOM];
	size_t used = 0;
	int found = attributes_begin(reader, inode, &attributes, err);

	if (found <= 0)
		return found;
	while ((found = next_attribute(reader, &attributes, name, sizeof(name), &value, err)) > 0) {
		size_t len = strlen(name) + 1;

		if (len == 1)
			continue;
		if (size > 0 && used + len > size)
			return err_code(err, ERANGE, "the list is longer");
		if (size > 0)
			memcpy(list + used, name, len);
		used += len;
	}
	return found < 0 ? -1 : (ssize_t)used;
}

ssize_t squashfs_getxattr(struct squashfs_reader *reader, const struct squashfs_inode *inode,
			  const char *name, void *value, size_t size, struct err *err)
{
	struct attributes attributes;
	struct cursor at;
	char here[NAME_ROOM];
	uint8_t head[4];
	uint32_t len;
	int found = attributes_begin(reader, inode, &attributes, err);

	while (found > 0) {
		found = next_attribute(reader, &attributes, here, sizeof(here), &at, err);
		if (found > 0 && here[0] && strcmp(here, name) == 0)
			break;
	}
	if (found < 0)
		return -1;
	if (found == 0)
		return err_code(err, ENODATA, "no such attribute");
	if (cursor_read(reader, &at, head, sizeof(head), err) < 0)
		return -1;
	len = le_get32(head);
	if (len > XATTR_VALUE_MAX)
		return squashfs_damaged(reader->image, err, "an attribute has %u bytes", len);
	if (size == 0)
		return (ssize_t)len;
	if (len > size)
		return err_code(err, ERANGE, "the value is longer");
	return cursor_read(reader, &at, value, len, err) < 0 ? -1 : (ssize_t)len;
}
