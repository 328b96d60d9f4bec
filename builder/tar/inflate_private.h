/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inflate_private.h - between inflate.c and the decompressors.
 *
 * inflate.c reads the stream below, goes from member to member (gzip members, zstd frames, xz
 * and bzip2 streams may stand behind each other, which is one text) and notices an end that
 * comes too soon. A decompressor knows one library and nothing else.
 */
#ifndef FIRN_BUILDER_TAR_INFLATE_PRIVATE_H
#define FIRN_BUILDER_TAR_INFLATE_PRIVATE_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

/* What one step of a decompressor took and gave. */
struct inflate_step {
	const uint8_t *in;
	size_t in_size; /* left */
	uint8_t *out;
	size_t out_size; /* left */
};

/* It goes on, or one member is at its end and what is left of the input belongs to the next. */
enum inflate_result { INFLATE_MORE, INFLATE_MEMBER_END };

/* A decompressor. Its state is its own, made by open(), NULL without memory. */
struct inflate_codec {
	const char *name;
	void *(*open)(void); /* NULL: not built in */
	/* Go on until input or output is used up or a member ends; -1 with @err for damage. */
	int (*step)(void *state, struct inflate_step *step, struct err *err);
	int (*restart)(void *state); /* for the next member */
	void (*close)(void *state);
};

/* One file each: inflate_gzip.c (ISA-L, or zlib where that is not there) and so on. */
extern const struct inflate_codec inflate_gzip, inflate_zstd, inflate_xz, inflate_bzip2;

#endif
