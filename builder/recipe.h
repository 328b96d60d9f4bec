/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * recipe.h - what is to be built, and what came of it.
 */
#ifndef FIRN_BUILDER_RECIPE_H
#define FIRN_BUILDER_RECIPE_H

#include "builder/across/board.h"
#include "builder/record/provenance.h"
#include "builder/source/source.h"
#include "lib/conf/cache_place.h"
#include "lib/conf/conf.h"

/* What is asked for; all of it is borrowed. */
struct recipe {
	const char *source;
	const char *out;   /* what is made, for messages; NULL: a file without a name */
	/* An image, or the name of one to be made, that is no part of a source it lies in; or NULL.
	 */
	const char *leave_out;
	struct tool *tool; /* started for it beforehand (tool.h), or NULL; borrowed */
	struct build_options options;
	struct platform platform;
	struct limits limits;
	unsigned jobs; /* threads that compress; of layers up to LINE_READERS are read at once */
	const struct conf *conf;
	const struct cache_place *cache; /* NULL: none */
	bool progress;
	/* For who wants to tell others how far it is; NULL: nobody does. Called once, with the
	 * board, when no more processes are forked; the board lives on until build() returns. */
	void (*begun)(void *arg, struct board *board);
	void *begun_arg;
	void (*over)(void *arg); /* the board goes away now */
};

/* What became of it, for the line or the JSON that is printed. */
struct built {
	struct digest file;	   /* of all of it, as sha256sum(1) computes it */
	struct digest image, tree; /* of the file up to its origin; of the files in it */
	struct digest config, ch;  /* as in its provenance; "" where that has none */
	uint64_t size;		   /* of the file, bytes */
	uint32_t inodes;
	uint64_t data_size; /* of all files, unpacked */
	char *reference;    /* the source, if it can be fetched again; to be freed */
};

#endif
