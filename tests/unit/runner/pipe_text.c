/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/pipe_text.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

/* What is heard of a writer that says @size bytes of @text and, if @stays, then nothing. */
static int hear(const char *text, size_t size, bool stays, size_t limit, char **out, size_t *len)
{
	int pair[2], result;
	pid_t child;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -2;
	child = fork();
	if (child == 0) {
		(void)close(pair[0]);
		if (write(pair[1], text, size) < 0)
			_exit(1);
		/* Not for a time: until the reader has gone. */
		while (stays && write(pair[1], "", 0) == 0 && getppid() != 1)
			(void)pause();
		_exit(0);
	}
	(void)close(pair[1]);
	result = pipe_text(pair[0], stays ? 50 : 10000, limit, out, len, &err);
	(void)close(pair[0]);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return result;
}

int main(void)
{
	static char large[200000];
	char *text = NULL;
	size_t len = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	memset(large, 'x', sizeof(large) - 1);
	ok(hear("abc", 4, false, 100, &text, &len) == 0, "a text is heard");
	is_str(text, "abc", "as it was said");
	ok(len == 3, "with its length");
	free(text);
	text = NULL;
	ok(hear(large, sizeof(large), false, sizeof(large), &text, &len) == 0 &&
		   len == sizeof(large) - 1,
	   "also a large one");
	free(text);
	text = NULL;
	ok(hear("abc", 3, false, 100, &text, &len) == -1, "without a NUL behind it is cut off");
	ok(hear("", 0, false, 100, &text, &len) == -1, "nothing is no text");
	ok(hear("", 1, false, 100, &text, &len) == -1, "nor is an empty one");
	ok(hear(large, sizeof(large), false, 1000, &text, &len) == -1, "too much is refused");
	is_str(err.text, "it is larger than 1000 bytes", "with the reason");
	ok(hear("abc", 4, true, 100, &text, &len) == -1, "one who does not end is not waited for");
	is_str(err.text, "it is not there after 50 ms", "with the reason");
	ok(!text, "and on failure there is no text");
	return done_testing();
}
