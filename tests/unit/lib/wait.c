/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/wait.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

static void nothing(int number)
{
	(void)number;
}

static void one_clock_in_two_units(void)
{
	long long us = wait_clock_us(), ms = wait_clock_ms(), later = wait_clock_us();

	ok(us > 0 && later >= us, "it goes on");
	ok(us / 1000 <= ms && ms <= later / 1000, "and is the same in milliseconds");
}

static void what_can_be_read_is_not_waited_for(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	ok(wait_readable(ends[0], 0) == 0, "an empty pipe, and no time");
	ok(write(ends[1], "x", 1) == 1 && wait_readable(ends[0], -1) == 1, "a byte");
	(void)close(ends[1]);
	ok(wait_readable(ends[0], 1000) == 1, "an end is something to read, too");
	(void)close(ends[0]);
}

static void signals_do_not_shorten_it(void)
{
	struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */
	struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	long long begin = wait_clock_ms();
	int ends[2], result;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	result = wait_readable(ends[0], 50);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	ok(result == 0 && wait_clock_ms() - begin >= 50, "it waits as long as it was told");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	one_clock_in_two_units();
	what_can_be_read_is_not_waited_for();
	signals_do_not_shorten_it();
	return done_testing();
}
