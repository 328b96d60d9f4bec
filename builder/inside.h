/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inside.h - a build's work: from what is open of a source to the bytes of an image.
 *
 * Done in the cage (cage.h), but for directories of files: opens nothing, and has what is here.
 */
#ifndef FIRN_BUILDER_INSIDE_H
#define FIRN_BUILDER_INSIDE_H

#include "builder/recipe.h"

struct inside {
	const struct recipe *recipe;
	struct reach *reach;
	struct spool *spool;
	struct board *board;
	int socket[LINE_SOCKETS]; /* see ask.h */
	int out;		  /* the image, an empty file */
};

int inside_build(const struct inside *inside, struct built *built, struct err *err);

#endif
