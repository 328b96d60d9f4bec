/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cgroups.h - take away what a container kept Slurm from removing.
 *
 * The keeper of one with a name is in the control groups of the step that made it, until the job's
 * end; slurmstepd could not remove them, and does not try again. So it is when a step's tasks leave
 * processes behind that hold the container until Slurm kills them, or when slurmstepd itself is
 * killed. They are empty directories when the job has ended.
 *
 * In v2 slurmstepd kills all that is in the groups of its step when the tasks have ended (seen in
 * 22.05). What serves a container with a name moves to a group of the job's own: job_JOB/firn.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_CGROUPS_H
#define FIRN_SLURM_PLUGIN_NODE_CGROUPS_H

#include "lib/err.h"

#include <stdint.h>

/*
 * As root, in slurmstepd: make that group of @job, and open its cgroup.procs for writing: a process
 * that writes "0" is in it. Returns the descriptor, O_CLOEXEC, in *@procs; -1 where slurmstepd is
 * in no v2 group of the job. That is no error.
 */
int cgroups_of_job(uint32_t job, int *procs, struct err *err);

/*
 * As root, when a job with a container is over on this node: remove the groups "job_JOB" of Slurm's
 * (cgroups(7): v1 SLURM/uid_UID/job_JOB, v2 .../slurmstepd.scope/job_JOB) and those below. What is
 * in the job's own group and in ours, and no step's, gets the time to end by itself and is then
 * killed, but for root's processes. While a slurmstepd of the job is still there (epilogs run when
 * it has all but ended), those it made are its to remove: it says errors to the user if somebody
 * else does. Waits two seconds at most.
 */
void cgroups_sweep(uint32_t job);

#endif
