/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * build.h - one build, from a source to an image file.
 */
#ifndef FIRN_BUILDER_BUILD_H
#define FIRN_BUILDER_BUILD_H

#include "builder/record/provenance.h"
#include "builder/source/source.h"

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

struct built {
	struct digest file;	   /* of all of it, as sha256sum(1) computes it */
	struct digest image, tree; /* of the file up to its origin; of the files in it */
	struct digest config, ch;  /* as in its provenance; "" where that has none */
	uint64_t size;             /* of the file, bytes */
	uint32_t inodes;
	uint64_t data_size;        /* of all files, unpacked */
	char *reference;           /* the source, if it can be fetched again; to be freed */
};

/* Build into @fd, an empty file open for reading and writing. */
int build(const struct recipe *recipe, int fd, struct built *built, struct err *err);

/* How many threads a build may use here: the processors that the scheduler gives it. */
unsigned build_default_jobs(void);

#endif
