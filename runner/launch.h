/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * launch.h - do what the plan says, and become its program.
 */
#ifndef FIRN_LAUNCH_H
#define FIRN_LAUNCH_H

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/plan.h"
#include "runner/content.h"
#include "runner/keeper.h"

/* What remains of building a container, for those who fail later. */
struct launched {
	struct server_report *report; /* why the mount server gave up; NULL without one */
	int user, mnt;                /* the namespaces, for others; owned, -1 without a keeper */
};
void launched_clear(struct launched *launched);

/*
 * Build the container and enter it for good. With a @keeper others are let in
 * by it: its descriptors are taken over, and closed also on failure.
 */
int launch_container(const struct plan *plan, const struct content *content, const struct conf *conf,
		     struct keeper *keeper, struct launched *out, struct err *err);

/*
 * Become the plan's program, in a container that was built or entered (then
 * @launched has no report). Returns only on failure: -1, with the exit status in
 * err->status.
 */
int launch_task(struct plan *plan, const struct launched *launched, struct err *err);

#endif
