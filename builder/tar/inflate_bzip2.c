/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/tar/inflate_private.h"

#ifdef HAVE_BZIP2

#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static void *bzip2_open(void)
{
	bz_stream *state = calloc(1, sizeof(*state));

	if (state && BZ2_bzDecompressInit(state, 0, 0) != BZ_OK) {
		free(state);
		return NULL;
	}
	return state;
}

/* libbz2 has no way to begin anew but to begin at all. */
static int bzip2_restart(void *state)
{
	bz_stream *bzip2 = state;

	(void)BZ2_bzDecompressEnd(bzip2);
	*bzip2 = (bz_stream){0};
	return BZ2_bzDecompressInit(bzip2, 0, 0) == BZ_OK ? 0 : -1;
}

static int bzip2_step(void *state, struct inflate_step *step, struct err *err)
{
	bz_stream *bzip2 = state;
	unsigned in = step->in_size < UINT_MAX ? (unsigned)step->in_size : UINT_MAX;
	unsigned out = step->out_size < UINT_MAX ? (unsigned)step->out_size : UINT_MAX;
	int result;

	bzip2->next_in = (char *)step->in; /* only read */
	bzip2->avail_in = in;
	bzip2->next_out = (char *)step->out;
	bzip2->avail_out = out;
	result = BZ2_bzDecompress(bzip2);
	step->in += in - bzip2->avail_in;
	step->in_size -= in - bzip2->avail_in;
	step->out += out - bzip2->avail_out;
	step->out_size -= out - bzip2->avail_out;
	if (result == BZ_STREAM_END)
		return INFLATE_MEMBER_END;
	if (result == BZ_MEM_ERROR)
		return err_code(err, ENOMEM, "cannot decompress");
	return result == BZ_OK ? INFLATE_MORE : err_set(err, "the bzip2 data is damaged");
}

static void bzip2_close(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
	free(state);
}

const struct inflate_codec inflate_bzip2 = {"bzip2", bzip2_open, bzip2_step, bzip2_restart,
					    bzip2_close};

#else

const struct inflate_codec inflate_bzip2 = {.name = "bzip2"};

#endif
