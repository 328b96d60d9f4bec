/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * discover.h - let firn-topology find out about this node, beside other work.
 */
#ifndef FIRN_MPI_GLUE_DISCOVER_H
#define FIRN_MPI_GLUE_DISCOVER_H

#include "lib/err.h"

/*
 * Start the helper. It holds no descriptor of ours but the pipe's other end, and
 * ends after three seconds at most. Returns the end from which its text can be read (O_CLOEXEC): a
 * text with a NUL behind it, or less when it failed. -1 when it cannot be started.
 */
int discover_start(struct err *err);

#endif
