/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pack_private.h - between pack.c (files' data) and pack_meta.c (everything else).
 *
 * libsquashfs (squashfs-tools-ng, include/sqfs/) has the format's parts as objects; here is
 * one of each that an image needs. Data is written first, file by file, as the tree is
 * walked; inodes, directories and tables follow, and then the superblock with their places.
 */
#ifndef FIRN_BUILDER_SQUASH_PACK_PRIVATE_H
#define FIRN_BUILDER_SQUASH_PACK_PRIVATE_H

#include "builder/squash/pack.h"

#include <sqfs/predef.h>
#include <sqfs/super.h>

/* An image in the making. All of it is its own, NULL until it is made. */
struct packer {
	const char *name;  /* of the image; NULL: it has none */
	sqfs_file_t *file; /* blocks.c's, on a descriptor that is borrowed */
	sqfs_compressor_t *compressor, *decompressor;
	sqfs_super_t super;
	sqfs_id_table_t *ids;
	sqfs_frag_table_t *fragments;
	sqfs_xattr_writer_t *xattrs;
	sqfs_block_writer_t *writer;
	sqfs_block_processor_t *processor;
	struct hasher *sum;
	char *buffer, *zeros; /* DATA_BUFFER_SIZE each */
	bool store;           /* no compression of data */
};

/*
 * Fill @err for libsquashfs' error @code (sqfs/error.h): "cannot write @what: ...", by errno where
 * the file could not be written. Returns -1.
 */
int pack_error(const struct packer *packer, int code, const char *what, struct err *err);

#endif
