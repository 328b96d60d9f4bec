/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/pipe_text.h"

#include "lib/own.h"
#include "lib/wait.h"

#include <stdint.h>

enum { FIRST_ROOM = 64 << 10 }; /* what a pipe holds */

int pipe_text(int fd, int timeout_ms, size_t limit, char **out, size_t *len, struct err *err)
{
	int64_t end = wait_clock_ms() + timeout_ms;
	auto_free char *text = NULL;
	size_t size = 0, room = 0;
	ssize_t got;

	do {
		int64_t left = end - wait_clock_ms();
		int ready = wait_readable(fd, left > 0 ? left : 0);

		if (ready == 0)
			return err_set(err, "it is not there after %d ms", timeout_ms);
		if (size == room) {
			char *grown = realloc(text, room ? 2 * room : FIRST_ROOM);

			if (!grown)
				return err_sys(err, "cannot wait for it");
			text = grown;
			room = room ? 2 * room : FIRST_ROOM;
		}
		got = ready > 0 ? read(fd, text + size, room - size) : -1;
		if (got < 0)
			return err_sys(err, "cannot read it");
		size += (size_t)got;
		if (size > limit)
			return err_set(err, "it is larger than %zu bytes", limit);
	} while (got > 0);
	if (size < 2 || text[size - 1] != '\0')
		return err_set(err, "the program that finds it out gives no answer");
	*out = take_ptr(&text);
	*len = size - 1;
	return 0;
}
