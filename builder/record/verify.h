/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * verify.h - does an image still say the truth about itself?
 *
 * All of it is read: the tree's digest and the configuration's are computed anew and
 * compared with those in its provenance; the image's digest with the one in its origin,
 * if it has one. All these stand in the same file, unsigned: who changes the image and
 * them alike is not found out here. What is in the file is read in a process apart, in a
 * cage (builder/cage.h). Rebuilding compares with what the source gives today.
 */
#ifndef FIRN_BUILDER_RECORD_VERIFY_H
#define FIRN_BUILDER_RECORD_VERIFY_H

#include "builder/build.h"

struct verified {
	struct digest file;	   /* of all of it, as sha256sum(1) computes it */
	struct digest image, tree; /* of the file up to its origin; of the files in it */
	bool has_origin;       /* the image's digest was recorded, and matches */
	bool rebuilt;
	bool same_bytes;       /* the rebuilt image is the same, byte for byte */
	bool other_codec; /* not the same bytes, since other libraries packed it; the tree is the
			     same */
};

/*
 * @recipe gives jobs, limits, configuration and cache. @rebuild: build again, from @from
 * or, if NULL, from the recorded source. Fails if anything does not match.
 */
int verify_image(const char *path, const struct recipe *recipe, bool rebuild, const char *from,
		 struct verified *out, struct err *err);

#endif
