/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * node.h - in slurmstepd: which container this step gets.
 *
 * Called with the user's effective ids. What is looked at are the words that came with the
 * job and slurmstepd's own descriptors; no file of the user's.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_CHOOSE_H
#define FIRN_SLURM_PLUGIN_NODE_CHOOSE_H

#include "slurm-plugin/pin.h"
#include "slurm-plugin/settings.h"
#include "slurm-plugin/words.h"

#include <limits.h>

/* The words that came with a job; @container and @pin may be NULL. */
struct node_job {
	const char *container; /* Slurm's own --container */
	const char *pin;       /* SUBMIT_PIN */
	uid_t user;
};

/* Whether the step is to have a container. */
bool node_is_asked(const struct slurm_wish *wish, const struct node_job *job);

/*
 * Compare the wish with the pin. Returns 1 with what to run in @out (its image may be NULL: any of
 * the wish's name), 0 when no container is asked for, or -1. @warn as in submit().
 */
int node_find(const struct slurm_wish *wish, const struct node_job *job,
	      const struct settings *settings, void (*warn)(const struct err *err), struct pin *out,
	      struct err *err);

/*
 * Which component of a heterogeneous step in one job this process is, by the name at which it
 * listens; 0 for the only one, -1 when it does not listen yet.
 */
int node_component(uint32_t job, uint32_t step);

/*
 * The directory in which slurmd keeps the scripts, sockets and MPI servers of steps: where this
 * process listens for step @job.@step. Returns false when it is not found.
 */
bool node_spool(uint32_t job, uint32_t step, char out[PATH_MAX]);

#endif
