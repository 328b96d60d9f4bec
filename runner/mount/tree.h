/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tree.h - mounts by descriptor.
 *
 * Uses open_tree(2) and move_mount(2) (Linux 5.2) and mount_setattr(2) (5.12);
 * where the kernel, or a filter, does not know them, mount(2) by way of
 * /proc/self/fd does the same, and restrictions are made up for in
 * tree_restrict_all() once all is mounted.
 */
#ifndef FIRN_RUNNER_MOUNT_TREE_H
#define FIRN_RUNNER_MOUNT_TREE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

enum tree_flags {
	TREE_READONLY = 1 << 0,
	TREE_NODEV = 1 << 1,
	TREE_PRIVATE = 1 << 2, /* what the host mounts later does not appear */
	/* nosuid is always set */
};

/* What was mounted where, in this order. */
struct tree_point {
	char *path;
	bool readonly;
};

/*
 * Take @path and all mounted below it, as propagation of the host's later mounts
 * allows. Returns a descriptor, or -1 with @err.
 */
int tree_clone(const char *path, struct err *err);

/* Restrict a clone, and all mounts in it. Does nothing where the kernel cannot. */
int tree_restrict(int tree, unsigned flags, struct err *err);

/* Mount a clone at @target, an O_PATH descriptor, or over "/". */
int tree_attach(int tree, int target, struct err *err);
int tree_attach_root(int tree, struct err *err);

/* After pivot_root, what TREE_PRIVATE could not do where mount_setattr(2) is missing. */
int tree_separate_all(struct err *err);

/* Whether a restriction could not be set and tree_restrict_all() must make up for it. */
bool tree_restrict_needed(void);

/*
 * After pivot_root, when tree_restrict() could not: set nosuid on every mount
 * and nodev on every one but those at or below "/dev", by /proc/self/mountinfo.
 * Read-only are "/" alone if @readonly_root says so, and the mounts for which the last
 * of @count @points at or above them is. Does nothing where mount_setattr(2) works.
 */
int tree_restrict_all(bool readonly_root, const struct tree_point *points, size_t count,
		      struct err *err);

#endif
