/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ahead.h - a stream that is read in a thread of its own, some buffers ahead.
 *
 * A layer's way is long: fetching, two digests, decompression, tar, spool. Cut
 * in two, it takes as long as its longer half where a processor is free.
 */
#ifndef FIRN_BUILDER_TAR_READAHEAD_H
#define FIRN_BUILDER_TAR_READAHEAD_H

#include "builder/tar/stream.h"

/*
 * Read @below ahead. Takes it over, whatever happens; where there are no more
 * threads, *out is @below itself. What it reads and how it ends, errors
 * included, comes in the same order. Closing waits for the read under way.
 */
int ahead_open(struct stream *below, struct stream **out, struct err *err);

#endif
