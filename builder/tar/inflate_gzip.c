/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/tar/inflate.h"
#include "builder/tar/inflate_private.h"

#include <limits.h>

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

/*
 * ISA-L takes a fifth of zlib's time; what comes out is the same, so images do not
 * depend on it. Its own reading of headers rejects some valid ones (2.30: those with
 * a checksum of their own behind a name), so they are skipped here, byte by byte.
 */
enum header {
	HEADER_FIXED,
	HEADER_EXTRA_SIZE,
	HEADER_EXTRA,
	HEADER_NAME,
	HEADER_COMMENT,
	HEADER_CRC,
	HEADER_DONE
};
enum {
	FIXED_SIZE = 10,
	FLAG_CRC = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	FLAGS_RESERVED = 0xe0
};

struct gzip {
	struct inflate_state state;
	enum header header;
	uint32_t count; /* bytes of this part so far */
	uint32_t extra;
	uint8_t flags;
};

static void begin_member(struct gzip *gzip)
{
	gzip->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	gzip->header = HEADER_FIXED;
	gzip->count = 0;
}

static void *gzip_open(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip) {
		isal_inflate_init(&gzip->state);
		begin_member(gzip);
	}
	return gzip;
}

static int gzip_restart(void *state)
{
	struct gzip *gzip = state;

	isal_inflate_reset(&gzip->state);
	begin_member(gzip);
	return 0;
}

/* The next part that this header has, by its flags. */
static void next_part(struct gzip *gzip)
{
	static const uint8_t flags[] = {
		[HEADER_EXTRA_SIZE] = FLAG_EXTRA, [HEADER_EXTRA] = FLAG_EXTRA,
		[HEADER_NAME] = FLAG_NAME,	  [HEADER_COMMENT] = FLAG_COMMENT,
		[HEADER_CRC] = FLAG_CRC,
	};

	gzip->count = 0;
	do
		gzip->header++;
	while (gzip->header != HEADER_DONE && (!(gzip->flags & flags[gzip->header]) ||
					       (gzip->header == HEADER_EXTRA && gzip->extra == 0)));
}

/* RFC 1952, 2.3: fixed part, extra field, name, comment, checksum. -1 for no gzip header. */
static int take_header_byte(struct gzip *gzip, uint8_t byte)
{
	static const uint8_t fixed[] = {0x1f, 0x8b, 8};
	uint32_t at = gzip->count++;

	switch (gzip->header) {
	case HEADER_FIXED:
		if ((at < sizeof(fixed) && byte != fixed[at]) || (at == 3 && byte & FLAGS_RESERVED))
			return -1;
		if (at == 3)
			gzip->flags = byte;
		if (gzip->count == FIXED_SIZE)
			next_part(gzip);
		break;
	case HEADER_EXTRA_SIZE:
		gzip->extra = at == 0 ? byte : gzip->extra | (uint32_t)byte << 8;
		if (gzip->count == 2)
			next_part(gzip);
		break;
	case HEADER_EXTRA:
		if (gzip->count == gzip->extra)
			next_part(gzip);
		break;
	case HEADER_NAME: case HEADER_COMMENT:
		if (!byte)
			next_part(gzip);
		break;
	case HEADER_CRC:
		if (gzip->count == 2)
			next_part(gzip);
		break;
	case HEADER_DONE:
		break;
	}
	return 0;
}

static int gzip_step(void *state, struct inflate_step *step, struct err *err)
{
	struct gzip *gzip = state;
	uint32_t in, out;
	int result;

	for (; gzip->header != HEADER_DONE && step->in_size > 0; step->in++, step->in_size--)
		if (take_header_byte(gzip, *step->in) < 0)
			return err_set(err, "the gzip data is damaged: no header");
	if (gzip->header != HEADER_DONE)
		return INFLATE_MORE;
	in = step->in_size < UINT_MAX ? (uint32_t)step->in_size : UINT_MAX;
	out = step->out_size < UINT_MAX ? (uint32_t)step->out_size : UINT_MAX;
	gzip->state.next_in = (uint8_t *)step->in;
	gzip->state.avail_in = in;
	gzip->state.next_out = step->out;
	gzip->state.avail_out = out;
	result = isal_inflate(&gzip->state);
	step->in += in - gzip->state.avail_in;
	step->in_size -= in - gzip->state.avail_in;
	step->out += out - gzip->state.avail_out;
	step->out_size -= out - gzip->state.avail_out;
	if (result == ISAL_INCORRECT_CHECKSUM)
		return err_set(err, "the gzip data does not match its checksum");
	if (result < 0 || result == ISAL_NEED_DICT)
		return err_set(err, "the gzip data is damaged");
	return gzip->state.block_state == ISAL_BLOCK_FINISH ? INFLATE_MEMBER_END : INFLATE_MORE;
}

static void gzip_close(void *state)
{
	free(state);
}

const char *inflate_gzip_library(void)
{
	return "ISA-L";
}

#else

#include <zlib.h>

static void *gzip_open(void)
{
	z_stream *state = calloc(1, sizeof(*state));

	if (state && inflateInit2(state, 15 + 16) != Z_OK) {
		free(state);
		return NULL;
	}
	return state;
}

static int gzip_restart(void *state)
{
	return inflateReset(state) == Z_OK ? 0 : -1;
}

static int gzip_step(void *state, struct inflate_step *step, struct err *err)
{
	z_stream *gzip = state;
	uInt in = step->in_size < UINT_MAX ? (uInt)step->in_size : UINT_MAX;
	uInt out = step->out_size < UINT_MAX ? (uInt)step->out_size : UINT_MAX;
	int result;

	gzip->next_in = (Bytef *)step->in;
	gzip->avail_in = in;
	gzip->next_out = step->out;
	gzip->avail_out = out;
	result = inflate(gzip, Z_NO_FLUSH);
	step->in += in - gzip->avail_in;
	step->in_size -= in - gzip->avail_in;
	step->out += out - gzip->avail_out;
	step->out_size -= out - gzip->avail_out;
	if (result == Z_STREAM_END)
		return INFLATE_MEMBER_END;
	if (result == Z_MEM_ERROR)
		return err_code(err, ENOMEM, "cannot decompress");
	if (result != Z_OK && result != Z_BUF_ERROR)
		return err_set(err, "the gzip data is damaged%s%s", gzip->msg ? ": " : "",
			       gzip->msg ? gzip->msg : "");
	return INFLATE_MORE;
}

static void gzip_close(void *state)
{
	(void)inflateEnd(state);
	free(state);
}

const char *inflate_gzip_library(void)
{
	return "zlib";
}

#endif

const struct inflate_codec inflate_gzip = {"gzip", gzip_open, gzip_step, gzip_restart, gzip_close};
