/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * data_image.h - mount a data image in the container (PLAN_IMAGE, lib/plan.h).
 *
 * As the root is, by a mount server of its own, read-only, without set-user-ID programs and
 * devices. The mount is made apart (fsopen(2), Linux 5.2) and known by its descriptor from then
 * on, so that nobody who can rename what is above its place has another file taken for it. A
 * directory of the image is looked up with the image's root as "/". Where the kernel, or a filter,
 * does not know these calls, mount(2) does the same for whole images.
 */
#ifndef FIRN_RUNNER_MOUNT_DATA_IMAGE_H
#define FIRN_RUNNER_MOUNT_DATA_IMAGE_H

#include "lib/err.h"
#include "lib/plan.h"

/* Who has the plan's data image @nth, from 0 on, served that is mounted for @device, which stays
 * the caller's. */
struct data_server {
	int (*serve)(void *arg, size_t nth, int device, struct err *err);
	void *arg;
};

/*
 * Mount the image of step @i at @target, the place of the step below @root; both O_PATH. Returns
 * a descriptor of the mount, or -1 with @err.
 */
int data_image_mount(const struct plan *plan, size_t i, int root, int target,
		     const struct data_server *server, struct err *err);

/* Wait until the server of what @step mounted as @mount has answered something: 0, or -1. */
int data_image_check(int mount, const struct plan_step *step, struct err *err);

#endif
