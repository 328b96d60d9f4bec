/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * jobs.h - a directory for each job that is on this node, from its prolog to its epilog.
 *
 * Containers with a name live as long as the job's: their keepers watch it. Root makes and
 * removes it, in a directory of root's; users can only look.
 */
#ifndef FIRN_SLURM_JOBS_H
#define FIRN_SLURM_JOBS_H

#include "lib/err.h"

#include <stdint.h>

/* Make @dir/@job and, if need be, @dir. That it is there already is no error. */
int jobs_begin(const char *dir, uint32_t job, struct err *err);
int jobs_end(const char *dir, uint32_t job, struct err *err);

#endif
