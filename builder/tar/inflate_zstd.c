/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/inflate_private.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

/*
 * A frame may ask for a window of gigabytes; more than this is refused, as
 * zstd(1) does without --long. 2^27 is the largest that RFC 8878 has decoders
 * support beyond its recommendation of 8 MiB.
 */
enum { WINDOW_LOG_MAX = 27 };

static void *zstd_open(void)
{
	ZSTD_DStream *state = ZSTD_createDStream();

	if (state &&
	    ZSTD_isError(ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		(void)ZSTD_freeDStream(state);
		return NULL;
	}
	return state;
}

static int zstd_restart(void *state)
{
	return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)) ? -1 : 0;
}

static int zstd_step(void *state, struct inflate_step *step, struct err *err)
{
	ZSTD_inBuffer in = {step->in, step->in_size, 0};
	ZSTD_outBuffer out = {step->out, step->out_size, 0};
	size_t result = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(result))
		return err_set(err, "the zstd data is damaged: %s", ZSTD_getErrorName(result));
	step->in += in.pos;
	step->in_size -= in.pos;
	step->out += out.pos;
	step->out_size -= out.pos;
	return result == 0 ? INFLATE_MEMBER_END : INFLATE_MORE;
}

static void zstd_close(void *state)
{
	(void)ZSTD_freeDStream(state);
}

const struct inflate_codec inflate_zstd = {"zstd", zstd_open, zstd_step, zstd_restart, zstd_close};
