/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pack_private.h - between pack.c (files' data) and pack_meta.c (everything else).
 */
#ifndef FIRN_BUILDER_SQUASH_PACK_PRIVATE_H
#define FIRN_BUILDER_SQUASH_PACK_PRIVATE_H

#include "builder/squash/pack.h"

#include <sqfs/predef.h>
#include <sqfs/super.h>

struct packer {
	sqfs_file_t *file;
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

/* Fill @err for libsquashfs' error @code. Returns -1. */
int pack_error(const struct packer *packer, int code, const char *what, struct err *err);

#endif
