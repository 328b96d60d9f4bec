/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * place.h - where in the image a step of the plan goes, if nobody named the place.
 *
 * What the user asked for by name goes where the name leads, symlinks of the
 * image followed inside it. What firn shows by itself must never cover the
 * image's own files by way of a symlink: the image's /data may be a link to its
 * /opt/app, and the host's /data is something else.
 */
#ifndef FIRN_RUNNER_MOUNT_PLACE_H
#define FIRN_RUNNER_MOUNT_PLACE_H

#include "lib/plan.h"

/*
 * Open the place of a lenient @step in @root, O_PATH. A file that replaces
 * another takes its name's place, also a symlink's. All else goes through a
 * symlink only to where no file with content is, or the step's source itself,
 * and the working directory through none. Returns a descriptor, or -1 with errno: ENOTEMPTY where
 * the image's files would be covered, ELOOP for the working directory.
 */
int place_open(int root, const struct plan_step *step);

/* Whether errno value @code says that there is no such place; else something is broken. */
bool place_is_none(int code);
/* Why the place could not be opened, for a message. */
const char *place_reason(int code);

#endif
