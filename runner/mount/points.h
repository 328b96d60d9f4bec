/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * points.h - mount points that an image lacks, where no mount server shows them.
 *
 * They are made in a directory tree of the scratch tmpfs, the skeleton. If all of
 * them belong into one directory of the image that is empty (/home, most of the
 * time), the skeleton's copy of it is mounted there; otherwise the skeleton
 * becomes a read-only layer of an overlay. Made in the image through an
 * overlay's upper layer they would need write permission in directories of
 * other owners.
 */
#ifndef FIRN_RUNNER_MOUNT_POINTS_H
#define FIRN_RUNNER_MOUNT_POINTS_H

#include "lib/err.h"
#include "lib/plan.h"

#include <limits.h>
#include <stdbool.h>

struct points {
	int root;      /* O_PATH, the image's root */
	int scratch;   /* the scratch tmpfs */
	int skeleton;  /* O_PATH; -1 as long as there is no point */
	unsigned count;
	char base[PATH_MAX]; /* the directory of the image that the first point belongs into */
	bool scattered;      /* not all belong into @base */
	bool crooked;        /* some target lies behind a symlink of the image */
	bool needed;         /* there is a point without which a step fails */
};

/*
 * Make a point for @step in the skeleton, if the image lacks it. The working
 * directory's is made at its own path or, if that leads through a symlink, at
 * PLAN_CWD_PLACE; there also if an earlier step has @crooked the way to it.
 */
int points_add(struct points *points, const struct plan_step *step, struct err *err);

/*
 * Mount the skeleton's copy of the one directory that all points belong into.
 * Returns 1, 0 if there is no such directory or it is not empty, or -1.
 */
int points_cover(struct points *points, struct err *err);

#endif
