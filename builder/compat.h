/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * compat.h - what every image gets besides its own files.
 *
 * Mount points that runners need (a runner of a read-only image cannot make
 * them), /.firn/config.json, and /ch/environment, which Charliecloud reads.
 * Nothing that the image has is replaced, except what is in /.firn.
 */
#ifndef FIRN_COMPAT_H
#define FIRN_COMPAT_H

#include "builder/tree.h"

#define FIRN_DIR ".firn"
#define CH_DIR "ch"
#define CONFIG_FILE ".firn/config.json"
#define PROVENANCE_FILE ".firn/provenance.json"

/*
 * Add it all to the unfinished @tree. @config (NULL: none) must outlive it.
 * @provenance gets the inode of PROVENANCE_FILE, which has no data yet.
 */
int compat_add(struct tree *tree, const char *config, size_t config_size, struct inode **provenance,
	       struct err *err);

/*
 * What /ch/environment holds for @config: NAME=VALUE lines; a value of several lines cannot be said
 * there. A new string of *@size bytes, or NULL when @config sets nothing. Fails for what is no configuration.
 */
int compat_environment(const char *config, size_t config_size, char **out, size_t *size, struct err *err);

#endif
