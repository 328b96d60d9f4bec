/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/listing.h"

#include "runner/server/node.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A listing while it is filled. */
struct filling {
	struct worker *worker;
	uint64_t directory; /* node id */
	size_t used, room;
	bool plus;
	struct err *err;
};

enum { FULL = 1 };

/* Append one entry; FULL when it does not fit. @entry is for READDIRPLUS, NULL for "." and "..". */
static int put(struct filling *to, const char *name, size_t len, uint64_t ino, mode_t type,
	       uint64_t next, const struct fuse_entry_out *entry)
{
	size_t head = to->plus ? sizeof(struct fuse_direntplus) : sizeof(struct fuse_dirent);
	size_t size = FUSE_DIRENT_ALIGN(head + len);
	char *at = to->worker->listing + to->used;
	struct fuse_dirent dirent = {
		.ino = ino, .off = next, .namelen = (uint32_t)len, .type = type >> 12};

	if (size > to->room - to->used)
		return FULL;
	memset(at, 0, size);
	if (to->plus) {
		if (entry)
			memcpy(at, entry, sizeof(*entry));
		at += sizeof(struct fuse_entry_out);
	}
	memcpy(at, &dirent, sizeof(dirent));
	memcpy(at + sizeof(dirent), name, len);
	to->used += size;
	return 0;
}

static int put_image(void *arg, const struct squashfs_entry *from, uint64_t position)
{
	struct filling *to = arg;
	const struct server *server = to->worker->server;
	struct squashfs_inode inode;
	struct fuse_entry_out entry;

	/* What is shown instead comes later, with the other shown ones. */
	if (show_find(server->shows, to->directory, from->name, from->len))
		return 0;
	if (!to->plus)
		return put(to, from->name, from->len, from->ino, from->type, position, NULL);
	if (FUSE_DIRENT_ALIGN(sizeof(struct fuse_direntplus) + from->len) > to->room - to->used)
		return FULL;
	if (squashfs_inode(to->worker->reader, from->ref, &inode, to->err) < 0)
		return -1;
	fuse_entry_begin(&entry, node_of_ref(from->ref, server->root_ref));
	fuse_attr_of_inode(server, &inode, &entry.attr);
	return put(to, from->name, from->len, inode.ino, inode.mode, position, &entry);
}

static int put_shown(struct filling *to, uint64_t offset)
{
	const struct server *server = to->worker->server;
	const struct shown *shown;
	int number = (int)(offset - LISTING_SHOWN);

	while ((number = show_next(server->shows, to->directory, number, &shown)) >= 0) {
		struct fuse_entry_out entry;

		number++;
		fuse_entry_begin(&entry, shown->id);
		fuse_attr_of_shown(server, shown, &entry.attr);
		if (put(to, shown->name, shown->len, entry.attr.ino, entry.attr.mode,
			LISTING_SHOWN + (uint64_t)number, &entry) == FULL)
			return FULL;
	}
	return 0;
}

/* "." and ".."; their inode numbers are nobody's business, programs ask with stat. */
static int put_dots(struct filling *to, uint64_t *offset)
{
	for (; *offset < 2; ++*offset)
		if (put(to, "..", *offset + 1, to->directory, S_IFDIR, *offset + 1, NULL) == FULL)
			return FULL;
	return 0;
}

ssize_t listing_fill(struct worker *worker, uint64_t id, uint64_t offset, size_t room, bool plus,
		     struct err *err)
{
	struct filling to = {
		.worker = worker, .directory = id, .room = room, .plus = plus, .err = err};
	struct squashfs_inode dir;
	int result = 0;

	if (offset > LISTING_SHOWN + INT32_MAX)
		return err_code(err, EINVAL, "no place in a directory");
	if (put_dots(&to, &offset) == FULL)
		return (ssize_t)to.used;
	if (offset < LISTING_SHOWN && !node_is_shown(id)) {
		result = squashfs_inode(worker->reader, node_ref(id, worker->server->root_ref),
					&dir, err);
		if (result == 0)
			result = squashfs_each(worker->reader, &dir, offset == 2 ? 0 : offset,
					       put_image, &to, err);
	}
	/* A damaged entry ends the listing; what came before it is still given. */
	if (result < 0)
		return to.used > 0 ? (ssize_t)to.used : -1;
	if (result != FULL)
		(void)put_shown(&to, offset < LISTING_SHOWN ? LISTING_SHOWN : offset);
	return (ssize_t)to.used;
}
