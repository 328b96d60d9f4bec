/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * mount.h - carry out a plan's steps.
 *
 * The new root is mounted over "/" of the private mount namespace: the host's
 * tree stays reachable by path below it, as source of binds, until pivot_root
 * swaps the two and the host's tree is dropped. Each target is opened with the
 * new root as "/" and mounted by descriptor, so no symlink of the image leads
 * out of it.
 */
#ifndef FIRN_RUNNER_MOUNT_MOUNT_H
#define FIRN_RUNNER_MOUNT_MOUNT_H

#include "lib/err.h"
#include "lib/plan.h"
#include "runner/mount/data_image.h"

#include <stdbool.h>

struct mount_hook {
	/*
	 * Called once the image can be read at @root, an O_PATH descriptor, and before any
	 * step but the cloning of what is bound. It may complete the plan, but for its steps.
	 */
	int (*call)(void *arg, int root, struct err *err);
	/*
	 * Called when the steps are done, those below /dev aside, with the same root, in which the
	 * program will be: it may append binds, which are done then. Where they go must be there,
	 * or be in a file system that a step has made.
	 */
	int (*settle)(void *arg, int root, struct err *err);
	void *arg;
	struct data_server server;
};

/*
 * Carry out all steps on the root that was mounted last (root.h) and make it
 * the process' root. @root_shows: the mount server shows the mount points and
 * the small files, so they need no overlay. @hook may be NULL for a plan without data images.
 * Call in the container's namespaces. Every data image has answered when this returns.
 */
int mount_plan(const struct plan *plan, bool root_shows, const struct mount_hook *hook,
	       struct err *err);

#endif
