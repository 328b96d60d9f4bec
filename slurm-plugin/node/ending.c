/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/ending.h"

#include "lib/wait.h"

#include <sys/syscall.h>
#include <unistd.h>

void ending_watch(struct ending *ending, const struct session_offer *offer)
{
	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++)
		if (offer->process[i] > 0)
			ending->process[i] =
				(int)syscall(SYS_pidfd_open, offer->process[i], 0);
}

void ending_wait(struct ending *ending, int timeout_ms)
{
	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++) {
		if (ending->process[i] < 0)
			continue;
		if (wait_readable(ending->process[i], timeout_ms) <= 0)
			return;
		(void)close(take_fd(&ending->process[i]));
	}
}
