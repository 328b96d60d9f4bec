/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * jobs.h - a directory for each job with a container on this node, until the job's epilog.
 *
 * Containers with a name live as long as it is there: their keepers watch it. And the epilog, which
 * runs for every job, cleans up after those alone that have it. Root makes and removes it, in a
 * directory of root's; users can only look.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_JOBS_H
#define FIRN_SLURM_PLUGIN_NODE_JOBS_H

#include "lib/err.h"

#include <stdint.h>

/* Make @dir/@job and, if need be, @dir. That it is there already is no error. */
int jobs_begin(const char *dir, uint32_t job, struct err *err);
/* Remove @dir/@job. Returns 1, 0 if it was not there, or -1. */
int jobs_end(const char *dir, uint32_t job, struct err *err);

#endif
