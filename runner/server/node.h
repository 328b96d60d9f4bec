/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * node.h - FUSE node ids that say all by themselves.
 *
 * The root is FUSE_ROOT_ID (1). An inode of the image is its reference plus 2
 * (references begin at 0, and 0 and 1 are taken). What is shown beside the image
 * has the top bit set and its number below. So any server of the same image and
 * shows understands any id, and nothing is remembered for the kernel.
 */
#ifndef FIRN_RUNNER_SERVER_NODE_H
#define FIRN_RUNNER_SERVER_NODE_H

#include <stdbool.h>
#include <stdint.h>

/* FUSE_ROOT_ID of <linux/fuse.h>; and what marks an entry of show.h. */
#define NODE_ROOT 1ull
#define NODE_SHOWN (1ull << 63)

/* The id of the inode at @ref (lib/squashfs/squashfs.h), whose upper 16 bits are always 0. */
static inline uint64_t node_of_ref(uint64_t ref, uint64_t root_ref)
{
	return ref == root_ref ? NODE_ROOT : ref + 2;
}

/* Whether the id is one of show.h's, which show_get() looks up. */
static inline bool node_is_shown(uint64_t id)
{
	return (id & NODE_SHOWN) != 0;
}

/* Back. Any number may come from a client; the reader finds out what is no inode's. */
static inline uint64_t node_ref(uint64_t id, uint64_t root_ref)
{
	return id == NODE_ROOT ? root_ref : id - 2;
}

#endif
