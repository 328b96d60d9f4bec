/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/inflate_private.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

/*
 * A stream's header says how much memory it needs, up to 4 GiB; more than this is
 * refused. xz -9 needs 65 MiB; so much is a dictionary of 128 MiB, as zstd may have it.
 */
enum { MEMORY_MAX = 132 << 20 };

static void *xz_open(void)
{
	static const lzma_stream none = LZMA_STREAM_INIT;
	lzma_stream *state = malloc(sizeof(*state));

	if (!state)
		return NULL;
	*state = none;
	if (lzma_stream_decoder(state, MEMORY_MAX, 0) == LZMA_OK)
		return state;
	free(state);
	return NULL;
}

static int xz_restart(void *state)
{
	return lzma_stream_decoder(state, MEMORY_MAX, 0) == LZMA_OK ? 0 : -1;
}

static int xz_step(void *state, struct inflate_step *step, struct err *err)
{
	lzma_stream *xz = state;
	lzma_ret result;

	xz->next_in = step->in;
	xz->avail_in = step->in_size;
	xz->next_out = step->out;
	xz->avail_out = step->out_size;
	result = lzma_code(xz, LZMA_RUN);
	step->in = xz->next_in;
	step->in_size = xz->avail_in;
	step->out = xz->next_out;
	step->out_size = xz->avail_out;
	switch (result) {
	case LZMA_STREAM_END:
		return INFLATE_MEMBER_END;
	case LZMA_OK:
	case LZMA_BUF_ERROR: /* the latter: no input, or no room, twice in a row */
		return INFLATE_MORE;
	case LZMA_MEM_ERROR:
		return err_code(err, ENOMEM, "cannot decompress");
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, "the xz data needs more than %d MiB of memory to be read",
			       MEMORY_MAX >> 20);
	case LZMA_OPTIONS_ERROR:
		return err_set(err, "the xz data is of a kind that liblzma does not know");
	default:
		return err_set(err, "the xz data is damaged");
	}
}

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

const struct inflate_codec inflate_xz = {"xz", xz_open, xz_step, xz_restart, xz_close};
