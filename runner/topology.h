/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * topology.h - one discovery of the node for all tasks of a step.
 *
 * Every rank that loads hwloc (Open MPI, MPICH, PRRTE do) would look through
 * /sys for itself. Where the image's hwloc can read what the host's has found,
 * that is done once, beside the building of the container.
 */
#ifndef FIRN_TOPOLOGY_H
#define FIRN_TOPOLOGY_H

#include "lib/plan.h"
#include "runner/content.h"

/*
 * Start the discovery and append a step that shows its result at WIREUP_TOPOLOGY
 * (mpi-glue/wireup.h). Where that is of no use or impossible nothing is appended,
 * which -v tells; it is never an error.
 */
void topology_add(struct content *content, struct plan *plan);

/* Whether @content has a hwloc that reads XML of version 2, and none that does not. */
bool topology_is_readable(struct content *content);

#endif
