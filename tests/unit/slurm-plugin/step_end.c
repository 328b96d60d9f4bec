/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* When a failed node ends its step on the others, and how often: Slurm's answers are made up here.
 */
#include "slurm-plugin/node/step_end.h"
#include "tests/unit/tap.h"

#include <slurm/slurm.h>

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>

static uint32_t step, nodes, node;
static int ended, asked, waited_ms;
static int goes_on; /* so often, and then the job is over */
static slurm_job_info_t job;
static job_info_msg_t jobs = {.record_count = 1, .job_array = &job};

spank_err_t spank_get_item(spank_t spank, spank_item_t item, ...)
{
	uint32_t *out;
	va_list args;

	(void)spank;
	va_start(args, item);
	out = va_arg(args, uint32_t *);
	va_end(args);
	*out = item == S_JOB_ID	      ? 7
	       : item == S_JOB_STEPID ? step
	       : item == S_JOB_NNODES ? nodes
				      : node;
	return ESPANK_SUCCESS;
}

int slurm_terminate_job_step(uint32_t number, uint32_t of)
{
	ended += number == 7 && of == step;
	return 0;
}

int slurm_load_job(job_info_msg_t **out, uint32_t number, uint16_t flags)
{
	(void)flags;
	asked += number == 7;
	job.job_state = asked <= goes_on ? JOB_RUNNING : JOB_RUNNING | JOB_COMPLETING;
	*out = &jobs;
	return SLURM_SUCCESS;
}

void slurm_free_job_info_msg(job_info_msg_t *message)
{
	(void)message;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)fds, (void)count;
	waited_ms += timeout;
	return 0;
}

static void begin(uint32_t which, uint32_t of_nodes, uint32_t on_node)
{
	step = which;
	nodes = of_nodes;
	node = on_node;
	ended = asked = waited_ms = 0;
	step_end(NULL);
}

static void who_has_no_others_ends_none(void)
{
	begin(0, 1, 0);
	ok(ended == 0, "one node has no others");
	begin(SLURM_BATCH_SCRIPT, 4, 0);
	ok(ended == 0, "nor has a batch script");
	step_end_again();
	ok(ended == 0 && asked == 0, "... then or later");
}

static void the_step_is_ended_on_the_others(void)
{
	begin(3, 4, 2);
	ok(ended == 1 && waited_ms == 40, "node 2 ends the step after its turn");
	goes_on = 100;
	waited_ms = 0;
	step_end_again();
	ok(ended == 5, "... and four times more, while the job goes on");
	ok(waited_ms < 10000, "... which takes seconds");
	begin(3, 4, 2);
	goes_on = 2;
	step_end_again();
	ok(ended == 3 && asked == 3, "... and no longer than the job");
	begin(3, 100000, 99999);
	ok(ended == 1 && waited_ms <= 10000, "the last of very many nodes does not wait for ever");
}

int main(void)
{
	who_has_no_others_ends_none();
	the_step_is_ended_on_the_others();
	return done_testing();
}
