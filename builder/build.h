/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * build.h - one build, from a source to an image file.
 *
 * Layers are read in parallel, laid on each other and written as one squashfs, with what the image
 * was made of in it (record/provenance.h) and where it came from behind it (lib/image/origin.h).
 * The same recipe of the same layers gives the same bytes, whatever the number of threads.
 */
#ifndef FIRN_BUILDER_BUILD_H
#define FIRN_BUILDER_BUILD_H

#include "builder/record/provenance.h"
#include "builder/source/source.h"

/* What is asked for; all of it is borrowed. */
struct recipe {
	const char *source;
	struct tool *tool;   /* started for it beforehand (tool.h), or NULL; borrowed */
	struct build_options options;
	struct platform platform;
	struct limits limits;
	unsigned jobs;       /* threads that compress; layers are read by as many at once */
	const struct conf *conf;
	const char *cache;   /* directory; NULL: none */
	bool progress;
};

/* What became of it, for the line or the JSON that is printed. */
struct built {
	struct digest file;	   /* of all of it, as sha256sum(1) computes it */
	struct digest image, tree; /* of the file up to its origin; of the files in it */
	struct digest config, ch;  /* as in its provenance; "" where that has none */
	uint64_t size;             /* of the file, bytes */
	uint32_t inodes;
	uint64_t data_size;        /* of all files, unpacked */
	char *reference;           /* the source, if it can be fetched again; to be freed */
};

/*
 * Build into @fd, an empty file open for reading and writing, which has no name yet (output.h).
 * Returns 0 and fills @built, or -1 with @err; what is in the file is of no use then.
 */
int build(const struct recipe *recipe, int fd, struct built *built, struct err *err);

/* How many threads a build may use here: the processors that the scheduler gives it. */
unsigned build_default_jobs(void);

#endif
