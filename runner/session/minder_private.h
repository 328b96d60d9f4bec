/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * minder_private.h - between minder.c, which keeps a worker at work, and minder_tell.c, which
 * listens to it and tells the program.
 *
 * Workers parse what strangers made, so that all of their words are taken for text: cut off where
 * we say, shown without control characters, and no more than a few of them.
 */
#ifndef FIRN_RUNNER_SESSION_MINDER_PRIVATE_H
#define FIRN_RUNNER_SESSION_MINDER_PRIVATE_H

#include "runner/session/minder.h"

/* Whether the launcher has not yet become the program, nor ended. */
bool minder_launcher_is_there(const struct minder *minder);

/*
 * Tell one line about the container's files: while the launcher is there to it, which ends with
 * this error (the first one only), else on the program's standard error, if that takes it at once.
 */
void minder_tell(struct minder *minder, const struct err *err);

/*
 * Say which file the last fault was over, by its inode, as nobody has found its name; then the
 * requests that were held for it get EIO. The other way to say it is the worker's own, by name.
 */
void minder_accuse(struct minder *minder);

#endif
