/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What the kernel asks, and the answers. Nothing here remembers anything. */
#include "runner/server/fuse.h"

#include "lib/own.h"
#include "runner/server/ahead.h"
#include "runner/server/listing.h"
#include "runner/server/node.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ATTR_BLOCK_SIZE = 4096, /* a larger st_blksize makes programs read more than they want */
	MAX_WRITE = 4096,
	NAME_LONGEST = 255,
	MAX_BACKGROUND = 64,
	READ_AHEAD_THREADS = 65536, /* a READ this large is worth more threads */
	SHOWN_INODE = 0x7f000000,   /* inode numbers of what the image does not have */
};

static void fail(struct worker *worker, const struct request_in *in, const struct err *err)
{
	/* Other codes are answers. */
	if (err->code == EIO || err->code == 0 || err->code == ENOMEM)
		server_complain(worker->server, err);
	fuse_error(worker, in, err->code ? err->code : EIO);
}

/* The image's inode behind node @id. */
static int get_inode(struct worker *worker, uint64_t id, struct squashfs_inode *inode,
		     struct err *err)
{
	return squashfs_inode(worker->reader, node_ref(id, worker->server->root_ref), inode, err);
}

void fuse_attr_of_inode(const struct server *server, const struct squashfs_inode *inode,
			struct fuse_attr *out)
{
	*out = (struct fuse_attr){
		.ino = inode->ino,
		/* The kernel's squashfs counts 3 bytes for "." and ".." of a directory. */
		.size = inode->size + (S_ISDIR(inode->mode) ? 3 : 0),
		.blocks = inode->blocks,
		.atime = inode->mtime,
		.mtime = inode->mtime,
		.ctime = inode->mtime,
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = server->options->uid,
		.gid = server->options->gid,
		.rdev = inode->rdev,
		.blksize = ATTR_BLOCK_SIZE,
	};
}

void fuse_attr_of_shown(const struct server *server, const struct shown *shown,
			struct fuse_attr *out)
{
	uint32_t time = squashfs_info(server->image)->created;
	uint64_t size = shown_size(shown);

	*out = (struct fuse_attr){
		.ino = SHOWN_INODE + (shown->id & ~NODE_SHOWN),
		.size = size,
		.blocks = (size + 511) / 512,
		.atime = time,
		.mtime = time,
		.ctime = time,
		.mode = shown->is_dir    ? S_IFDIR | 0755
			: shown->is_link ? S_IFLNK | 0777
					 : S_IFREG | 0644,
		.nlink = shown->is_dir ? 2 : 1,
		.uid = server->options->uid,
		.gid = server->options->gid,
		.blksize = ATTR_BLOCK_SIZE,
	};
}

/* Nothing ever changes: what the kernel knows stays valid. */
void fuse_entry_begin(struct fuse_entry_out *out, uint64_t id)
{
	*out = (struct fuse_entry_out){
		.nodeid = id, .entry_valid = UINT64_MAX, .attr_valid = UINT64_MAX};
}

static int get_attr(struct worker *worker, uint64_t id, struct fuse_attr *out, struct err *err)
{
	struct squashfs_inode inode;

	if (node_is_shown(id)) {
		const struct shown *shown = show_get(worker->server->shows, id);

		if (!shown)
			return err_code(err, ESTALE, "unknown node");
		fuse_attr_of_shown(worker->server, shown, out);
		return 0;
	}
	if (get_inode(worker, id, &inode, err) < 0)
		return -1;
	fuse_attr_of_inode(worker->server, &inode, out);
	return 0;
}

/* A READ must not ask for more than one reply holds: the kernel takes a short one for the file's
 * end. */
static uint16_t max_pages(void)
{
	long size = sysconf(_SC_PAGESIZE);

	return (uint16_t)(size > 0 && size < SQUASHFS_READ_MAX ? SQUASHFS_READ_MAX / size : 1);
}

static void op_init(struct worker *worker, const struct request_in *in)
{
	const struct fuse_init_in *init = in->arg;
	const uint32_t wanted = FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS |
				FUSE_PARALLEL_DIROPS | FUSE_CACHE_SYMLINKS | FUSE_MAX_PAGES |
				FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT;
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = init->max_readahead,
		.flags = init->flags & wanted,
		.max_background = MAX_BACKGROUND,
		.congestion_threshold = MAX_BACKGROUND * 3 / 4,
		.max_write = MAX_WRITE,
		.time_gran = 1,
		.max_pages = max_pages(),
	};

	if (init->major < FUSE_KERNEL_VERSION)
		fuse_error(worker, in, EPROTO);
	else
		fuse_reply(worker, in, &out, sizeof(out));
}

static void op_lookup(struct worker *worker, const struct request_in *in)
{
	struct server *server = worker->server;
	const char *name = in->arg;
	size_t len = strlen(name);
	const struct shown *shown = show_find(server->shows, in->head->nodeid, name, len);
	struct squashfs_inode inode;
	struct fuse_entry_out out;
	struct err err;
	uint64_t ref;
	int found = 0;

	/* The kernel's own limit for FUSE is larger than that of any other file system. */
	if (len > NAME_LONGEST) {
		fuse_error(worker, in, ENAMETOOLONG);
		return;
	}
	if (shown) {
		fuse_entry_begin(&out, shown->id);
		fuse_attr_of_shown(server, shown, &out.attr);
		fuse_reply(worker, in, &out, sizeof(out));
		return;
	}
	if (!node_is_shown(in->head->nodeid)) {
		found = get_inode(worker, in->head->nodeid, &inode, &err);
		if (found == 0)
			found = squashfs_lookup(worker->reader, &inode, name, len, &ref, &err);
	}
	if (found > 0 && squashfs_inode(worker->reader, ref, &inode, &err) < 0)
		found = -1;
	if (found < 0) {
		fail(worker, in, &err);
		return;
	}
	/* Node id 0 says that there is no such name, and may be remembered. */
	fuse_entry_begin(&out, found ? node_of_ref(ref, server->root_ref) : 0);
	if (found)
		fuse_attr_of_inode(server, &inode, &out.attr);
	fuse_reply(worker, in, &out, sizeof(out));
}

static void op_getattr(struct worker *worker, const struct request_in *in)
{
	struct fuse_attr_out out = {.attr_valid = UINT64_MAX};
	struct err err;

	if (get_attr(worker, in->head->nodeid, &out.attr, &err) < 0)
		fail(worker, in, &err);
	else
		fuse_reply(worker, in, &out, sizeof(out));
}

static void op_readlink(struct worker *worker, const struct request_in *in)
{
	struct squashfs_inode inode;
	char target[4096]; /* PATH_MAX: the kernel takes no longer one */
	struct err err;
	ssize_t len;

	if (node_is_shown(in->head->nodeid)) {
		const struct shown *shown = show_get(worker->server->shows, in->head->nodeid);

		if (shown && shown->is_link)
			fuse_reply(worker, in, shown->content, shown->size);
		else
			fuse_error(worker, in, EINVAL);
		return;
	}
	len = get_inode(worker, in->head->nodeid, &inode, &err);
	if (len == 0)
		len = squashfs_readlink(worker->reader, &inode, target, sizeof(target), &err);
	if (len < 0)
		fail(worker, in, &err);
	else
		fuse_reply(worker, in, target, (size_t)len);
}

/* Bytes of a shown file: first its own, then those of the image's file. */
static void read_shown(struct worker *worker, const struct request_in *in, uint64_t offset,
		       size_t size)
{
	const struct shown *shown = show_get(worker->server->shows, in->head->nodeid);
	struct squashfs_span span = {.count = 0};
	struct iovec piece[SQUASHFS_SPAN_MAX + 1];
	uint64_t total;
	size_t first = 0;
	int count = 0;
	struct err err;
	ssize_t got = 0;

	if (!shown || shown->is_dir) {
		fuse_error(worker, in, shown ? EISDIR : ESTALE);
		return;
	}
	total = shown_size(shown);
	if (offset >= total)
		size = 0;
	else if (size > total - offset)
		size = (size_t)(total - offset);
	if (offset < shown->size && size > 0) {
		first = shown->size - offset < size ? (size_t)(shown->size - offset) : size;
		piece[count++] = (struct iovec){(char *)shown->content + offset, first};
	}
	if (first < size)
		got = squashfs_read(worker->reader, &shown->base, offset + first - shown->size,
				    size - first, &span, &err);
	if (got < 0) {
		fail(worker, in, &err);
		return;
	}
	for (int i = 0; i < span.count; i++)
		piece[count++] = span.piece[i];
	fuse_pieces(worker, in, piece, count, first + (size_t)got);
	squashfs_span_release(worker->reader, &span);
}

static void op_read(struct worker *worker, const struct request_in *in)
{
	const struct fuse_read_in *read = in->arg;
	struct squashfs_inode inode;
	struct squashfs_span span;
	struct err err;
	ssize_t got;

	span.count = 0;
	if (read->size >= READ_AHEAD_THREADS)
		worker->server->more_threads(worker->server);
	if (node_is_shown(in->head->nodeid)) {
		read_shown(worker, in, read->offset, read->size);
		return;
	}
	got = get_inode(worker, in->head->nodeid, &inode, &err);
	if (got == 0 && read->offset == 0)
		ahead_begin(worker->server, &inode);
	if (got == 0)
		got = squashfs_read(worker->reader, &inode, read->offset, read->size, &span, &err);
	if (got < 0) {
		fail(worker, in, &err);
		return;
	}
	fuse_pieces(worker, in, span.piece, span.count, (size_t)got);
	squashfs_span_release(worker->reader, &span);
}

static void list_directory(struct worker *worker, const struct request_in *in, bool plus)
{
	const struct fuse_read_in *read = in->arg;
	size_t room = read->size < LISTING_SIZE ? read->size : LISTING_SIZE;
	struct err err;
	ssize_t used;

	if (!worker->listing)
		worker->listing = malloc(LISTING_SIZE);
	if (!worker->listing) {
		(void)err_sys(&err, "cannot read a directory of the image");
		fail(worker, in, &err);
		return;
	}
	used = listing_fill(worker, in->head->nodeid, read->offset, room, plus, &err);
	if (used < 0)
		fail(worker, in, &err);
	else
		fuse_reply(worker, in, worker->listing, (size_t)used);
}

static void op_readdir(struct worker *worker, const struct request_in *in)
{
	list_directory(worker, in, false);
}

static void op_readdirplus(struct worker *worker, const struct request_in *in)
{
	list_directory(worker, in, true);
}

static void op_statfs(struct worker *worker, const struct request_in *in)
{
	const struct squashfs_info *info = squashfs_info(worker->server->image);
	struct fuse_statfs_out out = {
		.st = {
			.blocks = (info->bytes_used + info->block_size - 1) / info->block_size,
			.files = info->inode_count,
			.bsize = info->block_size,
			.frsize = info->block_size,
			.namelen = NAME_LONGEST,
		}};

	fuse_reply(worker, in, &out, sizeof(out));
}

/* Attributes: with room for 0 bytes the kernel asks for the size. */
static void reply_xattr(struct worker *worker, const struct request_in *in, uint32_t room,
			const char *value, ssize_t size)
{
	struct fuse_getxattr_out out = {.size = (uint32_t)size};

	if (room == 0)
		fuse_reply(worker, in, &out, sizeof(out));
	else
		fuse_reply(worker, in, value, (size_t)size);
}

static void xattr(struct worker *worker, const struct request_in *in, const char *name)
{
	const struct fuse_getxattr_in *get = in->arg;
	uint32_t room = get->size < 65536 ? get->size : 65536;
	auto_free char *value = NULL;
	struct squashfs_inode inode;
	struct err err;
	ssize_t size;

	if (!squashfs_info(worker->server->image)->has_xattrs) {
		/* The kernel remembers this and never asks again. */
		fuse_error(worker, in, ENOSYS);
		return;
	}
	if (node_is_shown(in->head->nodeid)) {
		if (name)
			fuse_error(worker, in, ENODATA);
		else
			reply_xattr(worker, in, room, "", 0);
		return;
	}
	value = malloc(room + 1);
	size = value ? get_inode(worker, in->head->nodeid, &inode, &err)
		     : err_sys(&err, "cannot read attributes of the image");
	if (size == 0)
		size = name ? squashfs_getxattr(worker->reader, &inode, name, value, room, &err)
			    : squashfs_listxattr(worker->reader, &inode, value, room, &err);
	if (size < 0)
		fail(worker, in, &err);
	else
		reply_xattr(worker, in, room, value, size);
}

static void op_getxattr(struct worker *worker, const struct request_in *in)
{
	xattr(worker, in, (const char *)in->arg + sizeof(struct fuse_getxattr_in));
}

static void op_listxattr(struct worker *worker, const struct request_in *in)
{
	xattr(worker, in, NULL);
}

static void op_nothing(struct worker *worker, const struct request_in *in)
{
	(void)worker; /* FORGET, INTERRUPT: no answer is wanted */
	(void)in;
}

static void op_done(struct worker *worker, const struct request_in *in)
{
	fuse_error(worker, in, 0);
}

static void op_notty(struct worker *worker, const struct request_in *in)
{
	fuse_error(worker, in, ENOTTY);
}

static void op_readonly(struct worker *worker, const struct request_in *in)
{
	fuse_error(worker, in, EROFS);
}

/*
 * What is not here is answered with ENOSYS. For OPEN, OPENDIR, ACCESS, FLUSH and
 * FSYNC that is the fast way: the kernel remembers it, keeps caches over open
 * and close, and asks no more.
 */
const struct operation fuse_operations[OPCODES] = {
	[FUSE_LOOKUP] = {op_lookup, 0, true},
	[FUSE_FORGET] = {op_nothing, 0, false},
	[FUSE_BATCH_FORGET] = {op_nothing, 0, false},
	[FUSE_INTERRUPT] = {op_nothing, 0, false},
	[FUSE_DESTROY] = {op_done, 0, false},
	[FUSE_GETATTR] = {op_getattr, 0, false},
	[FUSE_READLINK] = {op_readlink, 0, false},
	[FUSE_READ] = {op_read, sizeof(struct fuse_read_in), false},
	[FUSE_STATFS] = {op_statfs, 0, false},
	[FUSE_INIT] = {op_init, 16, false},
	[FUSE_READDIR] = {op_readdir, sizeof(struct fuse_read_in), false},
	[FUSE_READDIRPLUS] = {op_readdirplus, sizeof(struct fuse_read_in), false},
	[FUSE_GETXATTR] = {op_getxattr, sizeof(struct fuse_getxattr_in), true},
	[FUSE_LISTXATTR] = {op_listxattr, sizeof(struct fuse_getxattr_in), false},
	[FUSE_RELEASE] = {op_done, 0, false},
	[FUSE_RELEASEDIR] = {op_done, 0, false},
	[FUSE_IOCTL] = {op_notty, 0, false},
	[FUSE_SETATTR] = {op_readonly, 0, false},
	[FUSE_SYMLINK] = {op_readonly, 0, false},
	[FUSE_MKNOD] = {op_readonly, 0, false},
	[FUSE_MKDIR] = {op_readonly, 0, false},
	[FUSE_UNLINK] = {op_readonly, 0, false},
	[FUSE_RMDIR] = {op_readonly, 0, false},
	[FUSE_RENAME] = {op_readonly, 0, false},
	[FUSE_RENAME2] = {op_readonly, 0, false},
	[FUSE_LINK] = {op_readonly, 0, false},
	[FUSE_WRITE] = {op_readonly, 0, false},
	[FUSE_SETXATTR] = {op_readonly, 0, false},
	[FUSE_REMOVEXATTR] = {op_readonly, 0, false},
	[FUSE_CREATE] = {op_readonly, 0, false},
};
