/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/inflate.h"

#include "builder/tar/inflate_private.h"

enum { IN_SIZE = 128 << 10, MAGIC_SIZE = 10 };

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

/* zstd: a skippable frame may stand before the first real one. */
static bool is_skippable(const uint8_t *data, size_t size)
{
	return size >= 4 && (data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0;
}

/* bzip2: its version and level, then a block or, when there is none, the end. */
static bool is_bzip2(const uint8_t *data, size_t size)
{
	return size >= MAGIC_SIZE && memcmp(data, "BZh", 3) == 0 && data[3] >= '1' &&
	       data[3] <= '9' &&
	       (memcmp(data + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
		memcmp(data + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

// clang-format off
static const struct {
	const char *magic;
	size_t size;
	const struct inflate_codec *codec;
	const char *name; /* of what is not read */
} known[] = {
	{"\x1f\x8b", 2, &inflate_gzip, NULL}, {"\x28\xb5\x2f\xfd", 4, &inflate_zstd, NULL},
	{"\xfd" "7zXZ\0", 6, &inflate_xz, NULL}, {"\x1f\x9d", 2, NULL, "compress"},
	{"\x04\x22\x4d\x18", 4, NULL, "lz4"}, {"LZIP\x01", 5, NULL, "lzip"}, {"\x89LZO\0\r\n", 7,
		 NULL, "lzop"},
	{"7z\xbc\xaf\x27\x1c", 6, NULL, "7z"}, {"PK\x03\x04", 4, NULL, "zip"},
};
// clang-format on

/* By the first bytes: *codec, or NULL for what is not compressed. */
static int recognize(const uint8_t *data, size_t size, const struct inflate_codec **codec,
		     struct err *err)
{
	*codec = is_bzip2(data, size)	    ? &inflate_bzip2
		 : is_skippable(data, size) ? &inflate_zstd
					    : NULL;
	for (size_t i = 0; i < COUNT_OF(known) && !*codec; i++) {
		if (size < known[i].size || memcmp(data, known[i].magic, known[i].size) != 0)
			continue;
		if (!known[i].codec)
			return err_set(err, "it is %s data; gzip, zstd, xz and bzip2 are read",
				       known[i].name);
		*codec = known[i].codec;
	}
	if (*codec && !(*codec)->open)
		return err_set(err, "it is %s data, for which this firn-build was not built",
			       (*codec)->name);
	return 0;
}

static int open_codec(struct inflate *inflate, struct err *err)
{
	ssize_t n = stream_fill(inflate->below, inflate->in, MAGIC_SIZE, err);

	if (n < 0)
		return -1;
	inflate->filled = (size_t)n;
	if (recognize(inflate->in, (size_t)n, &inflate->codec, err) < 0)
		return -1;
	if (!inflate->codec)
		return 0;
	inflate->stream.read = inflate_read;
	inflate->state = inflate->codec->open();
	return inflate->state ? 0 : err_code(err, ENOMEM, "cannot decompress");
}

int inflate_open(struct stream *below, struct stream **out, const char **kind, struct err *err)
{
	struct inflate *inflate = calloc(1, sizeof(*inflate));

	if (!inflate) {
		stream_close(below);
		return err_code(err, ENOMEM, "cannot decompress");
	}
	inflate->below = below;
	inflate->stream = (struct stream){plain_read, inflate_close};
	if (open_codec(inflate, err) < 0) {
		inflate_close(&inflate->stream);
		return -1;
	}
	if (kind)
		*kind = inflate->codec ? inflate->codec->name : "none";
	*out = &inflate->stream;
	return 0;
}
