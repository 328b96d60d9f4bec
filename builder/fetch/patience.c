/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/patience.h"

#include "lib/wait.h"

#include <poll.h>
#include <stdint.h>
#include <sys/random.h>

enum { DELAY_MS = 500, RETRY_AFTER_MAX = 60 };

/* Twice as long each time, and never two clients in step; or what the server asks for. */
void patience_wait(int try, long retry_after, const struct patience *patience)
{
	uint32_t chance = 0;
	long ms = (long)DELAY_MS << try;
	long long end;

	(void)!getrandom(&chance, sizeof(chance), 0);
	ms = ms / 2 + (long)(chance % (unsigned long)ms);
	if (retry_after >= 0)
		ms = (retry_after < RETRY_AFTER_MAX ? retry_after : RETRY_AFTER_MAX) * 1000 +
		     (long)(chance % 200);
	end = wait_clock_ms() + ms;
	for (; ms > 0 && patience_lasts(patience); ms = (long)(end - wait_clock_ms()))
		(void)poll(NULL, 0, (int)(ms < PATIENCE_MS ? ms : PATIENCE_MS));
}
