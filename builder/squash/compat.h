/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * compat.h - what every image gets besides its own files.
 *
 * Mount points that runners need (a runner of a read-only image cannot make
 * them), /.firn/config.json, and /ch/environment, which Charliecloud reads.
 * Nothing that the image has is replaced, except what is in /.firn.
 */
#ifndef FIRN_BUILDER_SQUASH_COMPAT_H
#define FIRN_BUILDER_SQUASH_COMPAT_H

#include "builder/digest.h"
#include "builder/squash/tree.h"

/*
 * Add it all to the unfinished @tree. @config (NULL: none) must outlive it.
 * @provenance gets the inode of PROVENANCE_FILE, which has no data yet.
 */
int compat_add(struct tree *tree, const char *config, size_t config_size, struct inode **provenance,
	       struct err *err);

/*
 * The digest of /ch in the finished @tree, whose files are summed up; "" if there is only what
 * compat_add() makes of @config, which nobody needs to be told.
 */
int compat_ch_digest(const struct tree *tree, const char *config, size_t config_size,
		     struct digest *out, struct err *err);

/* A node of /.firn that compat_add() did not put there or has otherwise; NULL: there is none. */
const struct node *compat_find_alien(const struct tree *tree, bool has_config);

#endif
