/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * stepds.h - which slurmstepd's are there.
 */
#ifndef FIRN_SLURM_STEPDS_H
#define FIRN_SLURM_STEPDS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a slurmstepd of @job runs on this node: by its title, "slurmstepd: [JOB.STEP]", of root's. */
bool stepds_of_job(uint32_t job);

#endif
