/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * root.h - mount the image, or what lies over it, over "/".
 */
#ifndef FIRN_RUNNER_MOUNT_ROOT_H
#define FIRN_RUNNER_MOUNT_ROOT_H

#include "lib/err.h"
#include "lib/image/image.h"
#include "lib/plan.h"

/* Open /dev/fuse, in the user namespace in which it is mounted. Returns a descriptor, or -1. */
int root_open_device(struct err *err);

/* Mount a FUSE file system for @device, an open /dev/fuse, over "/". */
int root_mount_fuse(const struct plan *plan, int device, struct err *err);

/* Mount the directory that @image was opened as, read-only. */
int root_mount_directory(const struct image *image, struct err *err);

/*
 * An empty tmpfs for small files and layers, out of sight in the host's tree, of
 * which no path can be relied upon afterwards. Returns a descriptor of it.
 */
int root_mount_scratch(const struct plan *plan, struct err *err);

/*
 * Mount @tree, a mount that is in no place, out of sight in the host's tree, until root_pivot()
 * takes it away. Returns 0, or -1 with errno.
 */
int root_hide(int tree);

/* The layers of an overlay; descriptors are borrowed. */
struct root_overlay {
	int image;         /* the lowest */
	int points;        /* mount points that the image lacks, over it; -1 for none */
	int upper; /* the directory whose upper/ and work/ take what is written; -1: read-only */
	const char *upper_name;
};

int root_mount_overlay(const struct root_overlay *overlay, struct err *err);

/* An O_PATH descriptor of the root mounted last. */
int root_open(struct err *err);

/*
 * Make the root mounted last the process' root and take away the host's tree
 * and whatever else lies below.
 */
int root_pivot(int root, struct err *err);

#endif
