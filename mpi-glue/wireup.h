/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * wireup.h - what of the host the image's own MPI needs to be started by the
 * host's launcher ("hybrid"): variables, and places that must be visible.
 *
 * Nothing here makes a decision for the user: what he set stays. For the reasons
 * and what was measured see doc/decisions/mpi.md.
 *
 * wireup.c needs nothing but the C library and may be compiled with -fPIC into
 * the Slurm plugin; wireup_places.c needs lib/.
 */
#ifndef FIRN_MPI_GLUE_WIREUP_H
#define FIRN_MPI_GLUE_WIREUP_H

#include "lib/err.h"
#include "lib/plan.h"

#include <stdbool.h>

/* An environment: the runner's vector, a process' own, spank_getenv() and spank_setenv(). */
struct wireup_env {
	/* The value of @name, good until the next call; NULL when it is not set. */
	const char *(*get)(void *arg, const char *name);
	/* Returns 0 or -1. */
	int (*set)(void *arg, const char *name, const char *value);
	void *arg;
};

/*
 * Tell a PMIx client of another version what it has in common with the server,
 * by PMIx's own parameters. Pure but for @env. Returns how many were set, or -1.
 */
int wireup_pmix(const struct wireup_env *env);

/* Where the node's topology is in a container that has it. */
#define WIREUP_TOPOLOGY "/.firn/hwloc.xml"

/*
 * Make hwloc read that file instead of finding out for itself. Only where the
 * file is: @there says so, see wireup_task(). Returns as wireup_pmix().
 */
int wireup_topology(const struct wireup_env *env, bool there);
/* Whether the user has told hwloc where to look. Then nothing is set, and nothing needs to be found
 * out. */
bool wireup_topology_is_chosen(const struct wireup_env *env);

/*
 * All of the above, in a task that has entered its container (session_enter())
 * and has its environment: the offer's, and what the launcher adds for each task.
 */
int wireup_task(const struct wireup_env *env);

/*
 * Append optional binds of what the launcher's server keeps in files, where @plan
 * does not show it yet, and of munge's socket under Slurm. All ranks of a launch
 * on a node append the same. Of @env only get() is used. Returns 0 or -1.
 */
int wireup_places(const struct wireup_env *env, struct plan *plan, struct err *err);

#endif
