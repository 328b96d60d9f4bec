/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/readahead.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

enum { PIECE = 1000, MANY = 5000 };

/* @pieces reads of PIECE bytes that count, then the end or an error. */
struct numbers {
	struct stream stream;
	uint32_t next, pieces;
	bool fails;
	bool *closed;
};

static ssize_t numbers_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct numbers *numbers = (struct numbers *)stream;
	uint32_t *out = buffer;

	if (numbers->pieces == 0)
		return numbers->fails ? err_set(err, "it broke") : 0;
	numbers->pieces--;
	if (size > PIECE)
		size = PIECE;
	for (size_t i = 0; i < size / sizeof(*out); i++)
		out[i] = numbers->next++;
	return (ssize_t)size;
}

static void numbers_close(struct stream *stream)
{
	*((struct numbers *)stream)->closed = true;
	free(stream);
}

static struct stream *start(uint32_t pieces, bool fails, bool *closed)
{
	struct numbers *numbers = calloc(1, sizeof(*numbers));
	struct stream *ahead = NULL;
	struct err err;

	*numbers = (struct numbers){{numbers_read, numbers_close}, 0, pieces, fails, closed};
	*closed = false;
	if (ahead_open(&numbers->stream, &ahead, &err) < 0)
		printf("Bail out! %s\n", err.text);
	return ahead;
}

/* How many numbers come in order, read @size bytes at a time; @n is what ended it. */
static uint32_t count(struct stream *stream, size_t size, ssize_t *n, struct err *err)
{
	uint32_t seen = 0, buffer[256];

	while ((*n = stream_fill(stream, buffer, size, err)) > 0)
		for (ssize_t i = 0; i < *n / (ssize_t)sizeof(*buffer); i++)
			if (buffer[i] != seen++)
				return 0;
	return seen;
}

static void all_bytes_come_in_order(void)
{
	bool closed;
	auto_stream *stream = start(MANY, false, &closed);
	struct err err;
	ssize_t n;
	char more;

	ok(count(stream, 1024, &n, &err) == MANY * (PIECE / 4) && n == 0,
	   "all bytes come in order");
	ok(stream->read(stream, &more, 1, &err) == 0, "and the end stays the end");
}

static void an_error_comes_behind_what_was_read(void)
{
	bool closed;
	auto_stream *stream = start(MANY, true, &closed);
	struct err err = {0};
	ssize_t n;

	ok(count(stream, 1000, &n, &err) == MANY * (PIECE / 4),
	   "what was read before an error comes first");
	ok(n == -1 && strcmp(err.text, "it broke") == 0, "then the error with its text");
	err = (struct err){0};
	ok(count(stream, 1000, &n, &err) == 0 && n == -1 && strcmp(err.text, "it broke") == 0,
	   "and again");
}

static void it_can_be_closed_at_any_time(void)
{
	struct err err;
	char some[10];
	bool closed;

	stream_close(start(MANY, false, &closed));
	ok(closed, "closed before it is read");
	for (int i = 0; i < 100; i++) {
		struct stream *stream = start(MANY, i % 2, &closed);

		if (stream->read(stream, some, sizeof(some), &err) != sizeof(some))
			break;
		stream_close(stream);
		if (!closed)
			break;
	}
	ok(closed, "closed in the middle, with the thread waiting for room");
}

int main(void)
{
	all_bytes_come_in_order();
	an_error_comes_behind_what_was_read();
	it_can_be_closed_at_any_time();
	return done_testing();
}
