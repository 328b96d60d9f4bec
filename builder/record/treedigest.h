/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * treedigest.h - one digest for the files of an image, whatever packs them.
 *
 * The sha256 of a listing of the tree in path order, without /.firn and /ch; it does not
 * depend on codec, level, block size or library versions. doc/format.md has its
 * definition, so that anyone can compute it from a mounted image.
 */
#ifndef FIRN_BUILDER_RECORD_TREEDIGEST_H
#define FIRN_BUILDER_RECORD_TREEDIGEST_H

#include "builder/squash/tree.h"

/* Every file of the finished @tree must have its sum. */
int tree_digest(const struct tree *tree, struct digest *out, struct err *err);

/* The same listing of /@name and what is in it, alone. */
int tree_digest_of(const struct tree *tree, const char *name, struct digest *out, struct err *err);

#endif
