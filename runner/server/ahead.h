/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ahead.h - decompress the rest of a program while its beginning is read.
 *
 * A program that starts reads its loader and its C library here and there, one
 * block after the other, and waits for each. When the first block of such a file
 * is asked for, a thread of its own brings the others into the cache.
 */
#ifndef FIRN_AHEAD_H
#define FIRN_AHEAD_H

#include "runner/server/fuse.h"

/* The beginning of @inode is being read. Does nothing unless it is a program of some size. */
void ahead_begin(struct server *server, const struct squashfs_inode *inode);

#endif
