/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * progress.h - how far a build is, for who waits for it.
 *
 * On a terminal one line for each layer, redrawn; elsewhere a plain line every
 * few seconds; nothing with -q. Always on standard error. A thread of its own
 * reads counters that the workers keep.
 */
#ifndef FIRN_PROGRESS_H
#define FIRN_PROGRESS_H

#include "builder/layer.h"

struct progress;

/* @layer may be NULL. NULL when there is nothing to show it on, or no memory: all calls take that. */
struct progress *progress_start(const struct layer *layer, size_t count);
/* The layers are read; @total bytes of files are to be packed. */
void progress_pack(struct progress *progress, uint64_t total);
void progress_add(struct progress *progress, uint64_t size);
/* Take the lines away and stop. */
void progress_stop(struct progress *progress);

#endif
