/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shows.h - what the mount server must show, read off the plan: mount points
 * that the image may lack, and small files.
 */
#ifndef FIRN_RUNNER_PLAN_SHOWS_H
#define FIRN_RUNNER_PLAN_SHOWS_H

#include "lib/err.h"
#include "lib/plan.h"
#include "runner/server/server.h"

struct shows {
	struct show *show; /* paths are borrowed from the plan */
	size_t count;
	void **owned; /* contents of host files */
	size_t owned_count;
};

int shows_make(const struct plan *plan, struct shows **out, struct err *err);
void shows_free(struct shows *shows);
void shows_freep(struct shows **shows);
#define auto_shows CLEANUP(shows_freep) struct shows

#endif
