/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/inflate.h"
#include "builder/inflate_private.h"

#include <limits.h>

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

/* ISA-L: a fifth of zlib's time; what comes out is the same, so images do not depend on it. */
static void *gzip_open(void)
{
	struct inflate_state *state = malloc(sizeof(*state));

	if (state) {
		isal_inflate_init(state);
		state->crc_flag = ISAL_GZIP;
	}
	return state;
}

static int gzip_restart(void *state)
{
	isal_inflate_reset(state);
	((struct inflate_state *)state)->crc_flag = ISAL_GZIP;
	return 0;
}

static int gzip_step(void *state, struct inflate_step *step, struct err *err)
{
	struct inflate_state *gzip = state;
	uint32_t in = step->in_size < UINT_MAX ? (uint32_t)step->in_size : UINT_MAX;
	uint32_t out = step->out_size < UINT_MAX ? (uint32_t)step->out_size : UINT_MAX;
	int result;

	gzip->next_in = (uint8_t *)step->in;
	gzip->avail_in = in;
	gzip->next_out = step->out;
	gzip->avail_out = out;
	result = isal_inflate(gzip);
	step->in += in - gzip->avail_in;
	step->in_size -= in - gzip->avail_in;
	step->out += out - gzip->avail_out;
	step->out_size -= out - gzip->avail_out;
	if (result == ISAL_INCORRECT_CHECKSUM)
		return err_set(err, "the gzip data does not match its checksum");
	if (result < 0 || result == ISAL_NEED_DICT)
		return err_set(err, "the gzip data is damaged");
	return gzip->block_state == ISAL_BLOCK_FINISH ? INFLATE_MEMBER_END : INFLATE_MORE;
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
