/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/ending.h"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void ending_watch(struct ending *ending, const struct session_offer *offer)
{
	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++)
		if (offer->process[i] > 0)
			ending->process[i] =
				(int)syscall(SYS_pidfd_open, offer->process[i], 0);
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool ending_wait(struct ending *ending, int timeout_ms)
{
	long long until = now_ms() + timeout_ms;

	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++) {
		struct pollfd process = {.fd = ending->process[i], .events = POLLIN};
		long long left = until - now_ms();

		if (process.fd < 0)
			continue;
		if (poll(&process, 1, left > 0 ? (int)left : 0) <= 0)
			return false;
		(void)close(take_fd(&ending->process[i]));
	}
	return true;
}

void ending_clear(struct ending *ending)
{
	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++)
		if (ending->process[i] >= 0)
			(void)close(take_fd(&ending->process[i]));
}
