/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * launch.h - do what the plan says, and become its program.
 *
 * The one place of the runner where a start touches the system: the supervisor is
 * started, namespaces are made, the image is mounted and the steps are carried out
 * (mount.h). All of it in the process that becomes the program, so that its number,
 * its terminal and its place in cgroups stay those that the caller knows.
 */
#ifndef FIRN_RUNNER_SESSION_LAUNCH_H
#define FIRN_RUNNER_SESSION_LAUNCH_H

#include "lib/conf/conf.h"
#include "lib/err.h"
#include "lib/image/image.h"
#include "lib/plan.h"
#include "runner/session/keeper.h"

/* What remains of building a container, for those who fail later. */
struct launched {
	struct server_table **table; /* of each mount server, in which is why it gave up; owned */
	size_t tables;
	int user, mnt;              /* the namespaces, for others; owned, -1 without a keeper */
};
/* Give back the tables and the descriptors; fine for what was never launched. */
void launched_clear(struct launched *launched);

/* How to build a container. */
struct launch {
	const struct plan *plan;    /* the container's part is complete */
	const struct image *image;
	const struct conf *conf;
	/* Lets others in; its descriptors are taken over. NULL: nobody comes in. */
	struct keeper *keeper;
	/* The image can be read at @root, O_PATH: complete the plan. */
	int (*complete)(void *arg, int root, struct err *err);
	/* All steps are done in it: there may be more (mount.h). */
	int (*settle)(void *arg, int root, struct err *err);
	void *arg;
	/* Then, what the keeper is to hand out with it (keeper.h), or -1; borrowed. */
	const int *config;
};

/*
 * Build the container and enter it for good. Returns 0, or -1 with @err: then the process may be in
 * namespaces of its own already, and ends. The keeper's descriptors are closed also on failure.
 */
int launch_container(const struct launch *launch, struct launched *out, struct err *err);

/*
 * Become the plan's program, in a container that was built or entered (then
 * @launched has no tables). Returns only on failure: -1, with the exit status in
 * err->status.
 */
int launch_task(struct plan *plan, const struct launched *launched, struct err *err);

#endif
