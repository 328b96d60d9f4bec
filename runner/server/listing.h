/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * listing.h - directories as the kernel reads them.
 *
 * Offsets say all by themselves: 0 before ".", 1 before "..", 2 before the
 * image's first entry; then the image's positions (squashfs_next(), always
 * above 12), then LISTING_SHOWN plus the number of what is shown beside.
 */
#ifndef FIRN_RUNNER_SERVER_LISTING_H
#define FIRN_RUNNER_SERVER_LISTING_H

#include "runner/server/fuse.h"

#define LISTING_SHOWN (1ull << 62)

/* Fill worker->listing from @offset on with at most @room bytes. Returns the bytes, 0 at the end.
 */
ssize_t listing_fill(struct worker *worker, uint64_t id, uint64_t offset, size_t room, bool plus,
		     struct err *err);

/* ops.c: the attributes of an inode or of what is shown, as the kernel wants them, with the
 * container's owner; and the head of a directory entry, whose id never needs to be asked again. */
void fuse_attr_of_inode(const struct server *server, const struct squashfs_inode *inode,
			struct fuse_attr *out);
void fuse_attr_of_shown(const struct server *server, const struct shown *shown,
			struct fuse_attr *out);
void fuse_entry_begin(struct fuse_entry_out *out, uint64_t id);

#endif
