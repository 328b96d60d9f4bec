/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * patience.h - whether somebody still waits for what is fetched.
 *
 * Networks and other processes make us wait for minutes; who asked may be gone by then. All that
 * waits is told whom to ask, and does so every PATIENCE_MS milliseconds at the latest. NULL: it is
 * waited for to the end.
 */
#ifndef FIRN_BUILDER_FETCH_PATIENCE_H
#define FIRN_BUILDER_FETCH_PATIENCE_H

#include "lib/err.h"

#include <stdbool.h>

enum { PATIENCE_MS = 200 };

struct patience {
	bool (*lasts)(const void *arg); /* called by whoever waits, often: it does not wait */
	const void *arg;
};

static inline bool patience_lasts(const struct patience *patience)
{
	return !patience || patience->lasts(patience->arg);
}

/* For who gives up: -1 with @err. */
static inline int patience_ends(struct err *err)
{
	return err_set(err, "nobody waits for it any more");
}

/* Before the @try-th try again: for as long as the server asks (@retry_after seconds), or -1 for
 * what is usual; or until the patience ends. */
void patience_wait(int try, long retry_after, const struct patience *patience);

#endif
