/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * codec.h - the table of compressions, between codec.c and pack.c.
 */
#ifndef FIRN_BUILDER_SQUASH_CODEC_H
#define FIRN_BUILDER_SQUASH_CODEC_H

#include "builder/squash/pack.h"

struct codec_kind {
	const char *name;
	int id;              /* SQFS_COMPRESSOR */
	int level, min, max; /* default and range; max 0: no levels */
	const char *(*version)(void);
};

const struct codec_kind *codec_kind(const struct codec *codec);

#endif
