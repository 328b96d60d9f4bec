/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pipe_text.h - what a helper program says, within bounds of time and size.
 */
#ifndef FIRN_RUNNER_MOUNT_PIPE_TEXT_H
#define FIRN_RUNNER_MOUNT_PIPE_TEXT_H

#include "lib/err.h"

#include <stddef.h>

/*
 * Read pipe @fd up to its end. A NUL as the last byte says that nothing is
 * missing. Returns 0 with the text, that NUL behind it, in a new @out and its
 * length in @len; or -1 when it takes longer than @timeout_ms, is longer than
 * @limit, empty or cut off.
 */
int pipe_text(int fd, int timeout_ms, size_t limit, char **out, size_t *len, struct err *err);

#endif
