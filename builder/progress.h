/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * progress.h - how far a build is, for who waits for it.
 *
 * On a terminal a line for all layers together and one for each that is being
 * read, as many as fit, none longer than it is wide, so that redrawing them
 * never scrolls; elsewhere, and where TERM is "dumb", plain lines every few
 * seconds; nothing with -q. Rates and the time left are those of the last seconds
 * (rate.h). Always on standard error. A thread of its own reads
 * the board that the workers write.
 */
#ifndef FIRN_BUILDER_PROGRESS_H
#define FIRN_BUILDER_PROGRESS_H

#include "builder/across/board.h"

struct progress;

/* Show @board. NULL when there is nothing to show it on, or no memory: progress_stop() takes that.
 */
struct progress *progress_start(const struct board *board);
/* Take the lines away and stop. */
void progress_stop(struct progress *progress);

#endif
