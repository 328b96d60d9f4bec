/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * space.h - the mount namespace that a job has of its own.
 *
 * With JobContainerType=job_container/tmpfs each job has its own /tmp and /dev/shm. slurmstepd
 * stays outside (but for EntireStepInNS=true in job_container.conf) and puts each task in just
 * before it is ours. A container that was made outside would show the node's /tmp, other jobs'
 * files in it, so it must be made inside, too. Where the namespace is, Slurm's plugin knows.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_SPACE_H
#define FIRN_SLURM_PLUGIN_NODE_SPACE_H

#include "lib/err.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * As root, in slurmstepd: a descriptor of job @job's mount namespace, if that is another one than
 * this process'; else -1. To be closed.
 */
int space_open(uint32_t job);

/* The number of namespace @space, of this process' own if @space is -1; 0 when that is not known.
 */
ino_t space_number(int space);

/*
 * In a task: whether it is where its container was made, in namespace @made. Returns 0, or -1: then
 * the container would show another /tmp than the job has.
 */
int space_check(ino_t made, struct err *err);

#endif
