/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ahead.h - decompress the rest of a program while its beginning is read.
 *
 * A program that starts reads its loader and its C library here and there, one
 * block after the other, and waits for each. When the first block of such a file
 * is asked for, a thread of its own brings the others into the cache.
 */
#ifndef FIRN_RUNNER_SERVER_AHEAD_H
#define FIRN_RUNNER_SERVER_AHEAD_H

#include "runner/server/fuse.h"

/* A queue, empty. Owned by the process, as its thread is. Returns NULL without memory. */
struct ahead *ahead_new(void);

/* What its thread does, for good. It starts to read when there is an image. */
void ahead_run(struct ahead *ahead);

/* The beginning of @inode of @server's image is being read. Does nothing unless it is a program of
 * some size. */
void ahead_begin(struct server *server, const struct squashfs_inode *inode);

#endif
