/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pack.h - a tree becomes a squashfs file.
 *
 * All calls of libsquashfs are behind this header. Files are packed in the
 * order in which packer_file() gets them; with the tree's path order the image
 * is a function of tree, codec, level and block size alone, whatever the
 * number of threads.
 */
#ifndef FIRN_BUILDER_SQUASH_PACK_H
#define FIRN_BUILDER_SQUASH_PACK_H

#include "builder/squash/codec.h"
#include "builder/squash/tree.h"

enum { PACK_ALIGNMENT = 4096 };

struct packer;

/* Write to @fd, an empty file open for reading and writing, borrowed; with @jobs threads. */
/* @name says where @fd is, for messages; NULL: a file of spool.h's. It is borrowed. */
int packer_new(int fd, const char *name, const struct codec *codec, unsigned jobs,
	       struct packer **out, struct err *err);
void packer_free(struct packer *packer);
void packer_freep(struct packer **packer);
#define auto_packer CLEANUP(packer_freep) struct packer

/* Take the data of a regular file in, once per inode, and sum it up into inode->sum. */
int packer_file(struct packer *packer, struct tree *tree, struct inode *inode, struct err *err);

/*
 * Write what describes the finished @tree, and the superblock with the time
 * @mtime; pad to PACK_ALIGNMENT. @size gets the file's size.
 */
int packer_finish(struct packer *packer, const struct tree *tree, uint32_t mtime, uint64_t *size,
		  struct err *err);

/* Free what a build that failed leaves in the tree's inodes; after packer_free(). NULL is fine. */
void packer_forget(struct tree *tree);

/* Fill @err for an image of that name (see packer_new) that cannot be written for @code, an errno
 * value: which disk is full, and what to do. Returns -1. */
int pack_full(const char *name, int code, struct err *err);

#endif
