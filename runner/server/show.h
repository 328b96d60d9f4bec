/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * show.h - the tree of what is shown beside the image: mount points that it
 * lacks, and small files in place of its own.
 *
 * Made once from the plan's shows (setup.h), before anything is served, and read-only
 * after: all threads look things up in it without a lock. An entry belongs to the
 * directory of the image, or of this tree, that its path leads to with symlinks
 * followed inside the image.
 */
#ifndef FIRN_RUNNER_SERVER_SHOW_H
#define FIRN_RUNNER_SERVER_SHOW_H

#include "lib/err.h"
#include "lib/squashfs/squashfs.h"
#include "runner/server/setup.h"

#include <stdbool.h>

/* One entry. The tree owns it, and borrows @content from the show. */
struct shown {
	uint64_t id;     /* node.h */
	uint64_t parent; /* node id of the directory it is in */
	char name[256];
	size_t len;
	bool is_dir, is_link;
	const void *content; /* files: these bytes (links: where they point) ... */
	size_t size;
	bool has_base;              /* ... and then those of this file of the image */
	struct squashfs_inode base;
};

struct show_tree;

/*
 * Find out where in the image each show belongs. Fails when a path leads
 * through something that is no directory, with its name, unless the show is lenient.
 * A link by way of what the image has for
 * something else than a directory is left out.
 * Returns 0 and a new tree in @out, or -1 with @err. @shows must outlive it.
 */
int show_tree_new(struct squashfs_reader *reader, const struct show *shows, size_t count,
		  struct show_tree **out, struct err *err);
void show_tree_free(struct show_tree *tree);
void show_tree_freep(struct show_tree **tree);
#define auto_show_tree CLEANUP(show_tree_freep) struct show_tree

/* The shown entry @name, of @len bytes without a NUL, of directory node @parent, or NULL. It stands
 * before the image's entry of that name. */
const struct shown *show_find(const struct show_tree *tree, uint64_t parent, const char *name,
			      size_t len);
/* The shown entry behind a node id, or NULL for an id that was never given. */
const struct shown *show_get(const struct show_tree *tree, uint64_t id);
/*
 * The first entry of directory node @parent with a number of @from or more: its number, or -1.
 * Numbers never change, so that a listing can go on from one in whatever worker.
 */
int show_next(const struct show_tree *tree, uint64_t parent, int from, const struct shown **out);

/* Bytes of the file, prefix and base together. */
uint64_t shown_size(const struct shown *shown);

#endif
