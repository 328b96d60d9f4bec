/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/step_end.h"

#include "lib/own.h"

#include <slurm/slurm.h>

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	NODE_MS = 20, /* from one failed node to the next, so that slurmctld is not asked by all at
			 once */
	NODES_MAX = 500,
};

static const int pause_ms[] = {500, 1000, 2000, 4000};

static struct {
	bool wanted;
	uint32_t job, step;
} failed;

void step_end(spank_t spank)
{
	uint32_t node, nodes;

	if (spank_get_item(spank, S_JOB_ID, &failed.job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &failed.step) != ESPANK_SUCCESS ||
	    failed.step == SLURM_BATCH_SCRIPT ||
	    spank_get_item(spank, S_JOB_NNODES, &nodes) != ESPANK_SUCCESS || nodes < 2 ||
	    spank_get_item(spank, S_JOB_NODEID, &node) != ESPANK_SUCCESS)
		return;
	failed.wanted = true;
	(void)poll(NULL, 0, (int)(node < NODES_MAX ? node : NODES_MAX) * NODE_MS);
	(void)slurm_terminate_job_step(failed.job, failed.step);
}

/* When the job is over, Slurm ends all of it by itself, and does not give up. */
static bool job_goes_on(void)
{
	job_info_msg_t *jobs;
	bool result;

	if (slurm_load_job(&jobs, failed.job, 0) != SLURM_SUCCESS)
		return false;
	result = jobs->record_count > 0 &&
		 (jobs->job_array[0].job_state & JOB_STATE_BASE) < JOB_COMPLETE &&
		 !(jobs->job_array[0].job_state & JOB_COMPLETING);
	slurm_free_job_info_msg(jobs);
	return result;
}

void step_end_again(void)
{
	for (size_t i = 0; failed.wanted && i < COUNT_OF(pause_ms); i++) {
		(void)poll(NULL, 0, pause_ms[i]);
		if (!job_goes_on())
			return;
		(void)slurm_terminate_job_step(failed.job, failed.step);
	}
}
