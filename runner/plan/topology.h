/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * topology.h - one discovery of the node for all tasks of a step.
 *
 * Every rank that loads hwloc (Open MPI, MPICH, PRRTE do) would look through
 * /sys for itself. Where the image's hwloc can read what the host's has found,
 * that is done once, beside the building of the container.
 */
#ifndef FIRN_RUNNER_PLAN_TOPOLOGY_H
#define FIRN_RUNNER_PLAN_TOPOLOGY_H

#include "lib/plan.h"
#include "runner/plan/content.h"

/*
 * Start the discovery, before there are namespaces, and append a step that shows its
 * result at WIREUP_TOPOLOGY (mpi-glue/wireup.h). Returns whether it did; if not, -v tells why:
 * it is never an error.
 */
bool topology_add(struct plan *plan);

/*
 * The image can be read and @plan's environment is complete: where a topology is of no use,
 * have no more of it. The file stays empty, which tasks take for none, and -v tells why.
 */
void topology_check(struct content *content, struct plan *plan);

/* Whether @content has a hwloc that reads XML of version 2, and none that does not. */
bool topology_is_readable(struct content *content);

#endif
