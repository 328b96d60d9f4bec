/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * build.h - one build, from a source to an image file.
 *
 * Layers are read in parallel, laid on each other and written as one squashfs, with what the image
 * was made of in it (record/provenance.h) and where it came from behind it (lib/image/origin.h).
 * The same recipe of the same layers gives the same bytes, whatever the number of threads.
 *
 * In two processes: this one opens, fetches and tells; one in a cage (inside.h) takes the source
 * apart and writes the image. A line (across/line.h) goes between them.
 */
#ifndef FIRN_BUILDER_BUILD_H
#define FIRN_BUILDER_BUILD_H

#include "builder/recipe.h"

/*
 * Build into @fd, an empty file open for reading and writing, which has no name yet (output.h).
 * Returns 0 and fills @built, or -1 with @err; what is in the file is of no use then.
 */
int build(const struct recipe *recipe, int fd, struct built *built, struct err *err);

/* How many threads a build may use here: the processors that the scheduler gives it. */
unsigned build_default_jobs(void);

#endif
