/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * choice.h - which of several images a name means.
 *
 * Archives and layouts hold images with names of all lengths: "1.0", "lab/tool:1.0",
 * "docker.io/lab/tool:1.0", for some tools write a host and others do not. A name, or
 * its end from a '/' or ':' on, means an image; so does its digest. One image under
 * several names is one image; several images under one name are an error, which
 * lists what there is.
 */
#ifndef FIRN_BUILDER_SOURCE_CHOICE_H
#define FIRN_BUILDER_SOURCE_CHOICE_H

#include "builder/source/manifest.h"

struct choice {
	const char *const *name; /* what the image is called; ends with NULL */
	const char *id;		 /* images with the same are the same: "sha256:..." */
	bool keep;		 /* it may be the one that is meant */
};

/* Of those that are kept, keep those that @wanted means. The error says what there is in @where. */
int choice_by_name(struct choice *choice, size_t count, const char *wanted, const char *where,
		   struct err *err);

/* Are those that are kept one image? The error lists them. @wanted: what was asked for, or NULL. */
int choice_is_one(const struct choice *choice, size_t count, const char *wanted, const char *where,
		  struct err *err);

/*
 * Leave in @index, which is that of @where, what @wanted (NULL: anything) and @platform may
 * mean: no artifacts, signatures and attestations, no image twice. What is left for @platform
 * differs by its variant only; an index without images is an error. @look, if not NULL, tells of
 * one entry by its document whether it is an image; called where there is more than one.
 */
typedef bool choice_look(void *arg, const struct descriptor *what);
int choice_narrow(struct manifest *index, const char *wanted, const struct platform *platform,
		  const char *where, choice_look *look, void *arg, struct err *err);

/*
 * Is @chosen of @index the only one of its platform? The error lists the others by digest, as their
 * names are the same. For the entries of an archive or layout, which are images of their own;
 * in the index of one image they are one image (packed by gzip and by zstd), and the first one
 * counts.
 */
int choice_is_only(const struct manifest *index, const struct descriptor *chosen,
		   const char *wanted, const char *where, struct err *err);

#endif
