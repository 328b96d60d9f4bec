/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * steps.h - one step of a plan after the other: what is attached, and where.
 *
 * mount.c lays the root and says when; this is how each kind of step is done (PLAN_BIND to
 * PLAN_IMAGE, lib/plan.h). A target is looked up with the new root as "/" (lib/path.h), so that no
 * symlink leads out of it, and mounted by descriptor. What lacks a place gets one only in file
 * systems that were made here: the image and what is bound are not firn's to change. What the
 * user did not name and has no place is left out with a line, and what he named is an error.
 */
#ifndef FIRN_RUNNER_MOUNT_STEPS_H
#define FIRN_RUNNER_MOUNT_STEPS_H

#include "lib/err.h"
#include "lib/plan.h"
#include "runner/mount/data_image.h"

#include <stdbool.h>
#include <sys/types.h>

/* The root while it is built; mount.c owns it, and its descriptors are closed by execve(2). */
struct builder {
	const struct plan *plan;
	bool root_shows;  /* the mount server shows mount points and small files */
	int root;	  /* O_PATH, what targets are opened in */
	int scratch;	  /* a tmpfs for small files and layers; -1 until needed */
	int upper;	  /* the user's overlay directory; -1 for none */
	const struct data_server *server; /* NULL: the plan has no data images */
	int *clone;	  /* per step, the source of a bind, or the mount of a data image; -1 */
	dev_t *own;	  /* file systems made here, in which mount points may be made */
	size_t own_count; /* at most one a step, and two more */
};

/* The file system of @fd was made here. */
void builder_note_own(struct builder *at, int fd);

/* See that @at->scratch is there. Returns 0, or -1 with the cause in @err. */
int builder_need_scratch(struct builder *at, struct err *err);

/* Flags of tree.h for what must hear nothing of the host's later mounts; 0 if that is well. */
unsigned builder_separate(const struct builder *at);

/*
 * Do the steps on /dev and below it, or all others, in the plan's order. The two are done apart,
 * as devices work below /dev alone. Returns 0, or -1 with @err naming the first that failed; those
 * before it are done then.
 */
int steps_do(struct builder *at, bool below_dev, struct err *err);

/* Do step @first and all behind it, wherever they are. */
int steps_do_from(struct builder *at, size_t first, struct err *err);

/* Close the file systems in memory that are to be read-only: nothing is made in them any more. */
int steps_seal(struct builder *at, struct err *err);

#endif
