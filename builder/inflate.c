/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/inflate.h"

#include "builder/inflate_private.h"

enum { IN_SIZE = 128 << 10 };

struct inflate {
	struct stream stream;
	struct stream *below;
	const struct inflate_codec *codec; /* NULL: the bytes as they are */
	void *state;
	bool in_member; /* false between two members */
	bool started;   /* a first member was there */
	bool at_end;    /* of the stream below */
	size_t at, filled; /* of in[] */
	uint8_t in[IN_SIZE];
};

static int refill(struct inflate *inflate, struct err *err)
{
	ssize_t n;

	if (inflate->at < inflate->filled || inflate->at_end)
		return 0;
	n = inflate->below->read(inflate->below, inflate->in, IN_SIZE, err);
	if (n < 0)
		return -1;
	inflate->at = 0;
	inflate->filled = (size_t)n;
	inflate->at_end = n == 0;
	return 0;
}

/* Behind a member: 1 when another one begins, 0 at the end, zeros in between skipped. */
static int next_member(struct inflate *inflate, struct err *err)
{
	for (;;) {
		if (refill(inflate, err) < 0)
			return -1;
		if (inflate->at_end)
			return 0;
		if (!inflate->started || inflate->in[inflate->at])
			break;
		inflate->at++;
	}
	if (inflate->started && inflate->codec->restart(inflate->state) < 0)
		return err_code(err, ENOMEM, "cannot decompress");
	inflate->started = true;
	inflate->in_member = true;
	return 1;
}

static ssize_t inflate_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct inflate *inflate = (struct inflate *)stream;
	struct inflate_step step = {.out = buffer, .out_size = size};

	while (step.out_size == size) {
		int result;

		if (!inflate->in_member) {
			result = next_member(inflate, err);
			if (result <= 0)
				return result;
		}
		if (refill(inflate, err) < 0)
			return -1;
		step.in = inflate->in + inflate->at;
		step.in_size = inflate->filled - inflate->at;
		result = inflate->codec->step(inflate->state, &step, err);
		if (result < 0)
			return -1;
		if (result == INFLATE_MORE && inflate->at_end && step.out_size == size)
			return err_set(err, "the %s data ends too soon", inflate->codec->name);
		inflate->at = inflate->filled - step.in_size;
		inflate->in_member = result == INFLATE_MORE;
	}
	return (ssize_t)(size - step.out_size);
}

/* Uncompressed: what was looked at first, then the stream below. */
static ssize_t plain_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct inflate *inflate = (struct inflate *)stream;
	size_t left = inflate->filled - inflate->at;

	if (left == 0)
		return inflate->below->read(inflate->below, buffer, size, err);
	if (size > left)
		size = left;
	memcpy(buffer, inflate->in + inflate->at, size);
	inflate->at += size;
	return (ssize_t)size;
}

static void inflate_close(struct stream *stream)
{
	struct inflate *inflate = (struct inflate *)stream;

	if (inflate->codec && inflate->state)
		inflate->codec->close(inflate->state);
	stream_close(inflate->below);
	free(inflate);
}

/* By the first four bytes; a skippable frame may stand before zstd's first real one. */
static const struct inflate_codec *recognize(const uint8_t *data, size_t size)
{
	static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const uint8_t skippable[] = {0x2a, 0x4d, 0x18};

	if (size >= 2 && memcmp(data, gzip, sizeof(gzip)) == 0)
		return &inflate_gzip;
	if (size >= 4 && (memcmp(data, zstd, sizeof(zstd)) == 0 ||
			  ((data[0] & 0xf0) == 0x50 && memcmp(data + 1, skippable, 3) == 0)))
		return &inflate_zstd;
	return NULL;
}

int inflate_open(struct stream *below, struct stream **out, const char **kind, struct err *err)
{
	struct inflate *inflate = calloc(1, sizeof(*inflate));
	ssize_t n;

	if (!inflate) {
		stream_close(below);
		return err_code(err, ENOMEM, "cannot decompress");
	}
	inflate->below = below;
	inflate->stream = (struct stream){plain_read, inflate_close};
	n = stream_fill(below, inflate->in, 4, err);
	if (n < 0) {
		inflate_close(&inflate->stream);
		return -1;
	}
	inflate->filled = (size_t)n;
	inflate->codec = recognize(inflate->in, (size_t)n);
	if (inflate->codec) {
		inflate->stream.read = inflate_read;
		inflate->state = inflate->codec->open();
		if (!inflate->state) {
			inflate_close(&inflate->stream);
			return err_code(err, ENOMEM, "cannot decompress");
		}
	}
	if (kind)
		*kind = inflate->codec ? inflate->codec->name : "none";
	*out = &inflate->stream;
	return 0;
}
