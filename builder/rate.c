/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/rate.h"

/* With these the ring covers the window, however often it is noted. */
#define STEP ((double)RATE_WINDOW / (RATE_SAMPLES - 2))

static const struct rate_sample *at(const struct rate *rate, size_t index)
{
	return &rate->sample[(rate->first + index) % RATE_SAMPLES];
}

static void drop_first(struct rate *rate)
{
	rate->first = (rate->first + 1) % RATE_SAMPLES;
	rate->count--;
}

void rate_note(struct rate *rate, double now, uint64_t done)
{
	if (rate->count > 0 && done < at(rate, rate->count - 1)->done)
		rate->count = 0;
	/* The newest is moved on until it is a step away from the one before. */
	if (rate->count > 1 && at(rate, rate->count - 1)->at - at(rate, rate->count - 2)->at < STEP)
		rate->count--;
	if (rate->count == RATE_SAMPLES)
		drop_first(rate);
	rate->sample[(rate->first + rate->count) % RATE_SAMPLES] = (struct rate_sample){now, done};
	rate->count++;
	/* The first one is the last that is a whole window old. */
	while (rate->count > 2 && now - at(rate, 1)->at >= RATE_WINDOW)
		drop_first(rate);
}

double rate_of(const struct rate *rate)
{
	const struct rate_sample *first = at(rate, 0), *last;

	if (rate->count < 2)
		return -1;
	last = at(rate, rate->count - 1);
	if (last->at - first->at < 0.5)
		return -1;
	return (double)(last->done - first->done) / (last->at - first->at);
}
