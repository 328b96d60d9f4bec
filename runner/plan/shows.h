/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shows.h - what the mount server must show, read off the plan: mount points
 * that the image may lack, and small files.
 *
 * An overlay for the mount points would do the same and cost each start a mount; the
 * server shows them for nothing. What the plan lets be a copy (PLAN_COPY: /etc/hosts
 * and the like) is read here, up to 4 MiB, and needs no mount at all.
 */
#ifndef FIRN_RUNNER_PLAN_SHOWS_H
#define FIRN_RUNNER_PLAN_SHOWS_H

#include "lib/err.h"
#include "lib/plan.h"
#include "runner/server/server.h"

/* For server_options.shows. The plan must outlive it. */
struct shows {
	struct show *show; /* paths are borrowed from the plan */
	size_t count;
	void **owned; /* contents of host files */
	size_t owned_count;
};

/* Returns 0 and a new list in @out, or -1 without memory. A host file that cannot be read is left
 * out, as if it were not there. */
int shows_make(const struct plan *plan, struct shows **out, struct err *err);
void shows_free(struct shows *shows);
void shows_freep(struct shows **shows);
#define auto_shows CLEANUP(shows_freep) struct shows

#endif
