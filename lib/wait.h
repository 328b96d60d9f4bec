/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * wait.h - wait for a descriptor, and no longer than said; the clock that says how long.
 *
 * poll(2) that a signal interrupts has not waited its time; whoever counts it as waited gives up
 * early. The clock is CLOCK_MONOTONIC (clock_gettime(2)): it never jumps when somebody sets the
 * time, stands still while the machine sleeps, is the same for all processes of a machine, and is
 * read without a system call. In a header, for it goes into shared objects as well.
 */
#ifndef FIRN_LIB_WAIT_H
#define FIRN_LIB_WAIT_H

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

/* The clock in microseconds since some moment of the past, the start of the machine for most. */
static inline long long wait_clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The same in milliseconds, rounded down. */
static inline long long wait_clock_ms(void)
{
	return wait_clock_us() / 1000;
}

/*
 * Until @fd can be read, for @timeout_ms milliseconds, -1: for ever, 0: only look. An end or an
 * error of the other side counts as something to read, as read(2) tells then; a pidfd can be read
 * once its process has ended. Goes on through signals with what is left of the time. Returns 1,
 * 0 when the time is over, or -1 with errno. @fd is borrowed.
 */
static inline int wait_readable(int fd, long long timeout_ms)
{
	long long end = wait_clock_ms() + timeout_ms;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		long long rest = timeout_ms < 0 ? -1 : end - wait_clock_ms();
		int result;

		if (timeout_ms >= 0 && rest < 0)
			rest = 0;
		result = poll(&ready, 1, rest > INT_MAX ? INT_MAX : (int)rest);
		if (result > 0)
			return 1;
		if (result < 0 && errno != EINTR)
			return -1;
		if (timeout_ms >= 0 && wait_clock_ms() >= end)
			return 0;
	}
}

#endif
