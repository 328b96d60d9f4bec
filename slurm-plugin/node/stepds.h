/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * stepds.h - which slurmstepd's are there.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_STEPDS_H
#define FIRN_SLURM_PLUGIN_NODE_STEPDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a slurmstepd of @job runs on this node: by its title, "slurmstepd: [JOB.STEP]". A title
 * is anybody's to choose, so the process must be root's by its real and saved ids and execute what
 * this process does: it is called in a slurmstepd, which runs the epilog's plugins. True as well
 * where there is no telling.
 */
bool stepds_of_job(uint32_t job);

#endif
