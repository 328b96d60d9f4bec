/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ending.h - wait for the end of what serves a container.
 *
 * Once a step's last task has ended, slurmstepd kills what is left in the step and removes its
 * control groups; in cgroup/v1 the mount server is in some of them and not among what it kills.
 * A group with a process in it, or one about to end, stays behind (seen in 22.05). So slurmstepd
 * is kept for the milliseconds that the server needs to end.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_ENDING_H
#define FIRN_SLURM_PLUGIN_NODE_ENDING_H

#include "runner/session/session.h"

struct ending {
	int process[SESSION_PROCESSES_MAX]; /* pidfd_open(2), until slurmstepd ends; -1: none, or it
					       has ended */
};
#define ENDING_NONE                                                                                \
	{                                                                                          \
		{-1, -1, -1}                                                                       \
	}

/*
 * Keep in sight what @offer names. The numbers are the user's word, which is good enough: of
 * another process no more is asked than whether it has ended, and that for a limited time.
 */
void ending_watch(struct ending *ending, const struct session_offer *offer);
/* Until all have ended, @timeout_ms at most for the next one to end. */
void ending_wait(struct ending *ending, int timeout_ms);

#endif
