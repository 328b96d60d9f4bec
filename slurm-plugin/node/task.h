/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * task.h - from slurmstepd's child to a task of the container, just before Slurm executes it.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_TASK_H
#define FIRN_SLURM_PLUGIN_NODE_TASK_H

#include "runner/session/session.h"

#include <slurm/spank.h>

struct task_wish {
	bool entrypoint; /* the image's runs the command */
	bool stays;	 /* start where Slurm has put the task, if that is there, too */
	ino_t made;	 /* where the container was made (space.h) */
};

/*
 * Called in slurm_spank_task_init, as the user: enter the container and give the task its
 * environment, with what MPI needs of the launcher's. Returns 0, or -1: then the process may be
 * half inside and must end.
 */
int task_enter(spank_t spank, const struct session_offer *offer, const struct task_wish *wish,
	       struct err *err);

#endif
