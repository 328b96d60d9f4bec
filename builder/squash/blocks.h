/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * blocks.h - what libsquashfs writes to: a descriptor, and a block writer that
 * finds duplicates by a hash table.
 *
 * libsquashfs' own block writer compares each file's blocks with all blocks
 * before it, one after the other; with hundreds of thousands of blocks that is
 * what a build would spend its time on. Like it, this one writes a file's blocks
 * first, looks for the same run of blocks earlier in the image, compares byte by
 * byte, and cuts the file off again when the first such run was found.
 */
#ifndef FIRN_BUILDER_SQUASH_BLOCKS_H
#define FIRN_BUILDER_SQUASH_BLOCKS_H

#include <sqfs/block_writer.h>
#include <sqfs/io.h>

/* A file of libsquashfs on @fd, which is borrowed. NULL without memory. errno_of tells why I/O
 * failed. */
sqfs_file_t *blocks_file(int fd);
int blocks_file_errno(const sqfs_file_t *file);

/* @file is borrowed. NULL without memory. */
sqfs_block_writer_t *blocks_writer(sqfs_file_t *file);

#endif
