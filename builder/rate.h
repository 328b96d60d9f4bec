/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * rate.h - how fast something goes, over its last seconds.
 *
 * What was slow at its beginning, or stood still for a minute, tells nothing of
 * what comes: the rate is that of the last RATE_WINDOW seconds, or of less when
 * there is no more. Begin with zeros. Times are seconds of a clock that only goes on.
 */
#ifndef FIRN_BUILDER_RATE_H
#define FIRN_BUILDER_RATE_H

#include <stddef.h>
#include <stdint.h>

enum { RATE_SAMPLES = 32, RATE_WINDOW = 5 };

struct rate {
	struct rate_sample {
		double at;
		uint64_t done;
	} sample[RATE_SAMPLES]; /* a ring */
	size_t first, count;
};

/* @done bytes are there at @now; not less than before, or all begins anew. */
void rate_note(struct rate *rate, double now, uint64_t done);

/* Bytes in a second; 0 when nothing came; -1 when less than half a second is known. */
double rate_of(const struct rate *rate);

#endif
