/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * start.h - get a container from `firn session-start`, as the user.
 */
#ifndef FIRN_SLURM_START_H
#define FIRN_SLURM_START_H

#include "runner/session.h"

/*
 * Called with the user's effective ids, in slurmstepd. A child becomes the user for good and
 * executes @firn with @words and @environment in the directory @cwd; "--control-fd=N" names its
 * end of @pair. Before it, the child enters the control group whose cgroup.procs root has opened as
 * @group, if not -1. @waiting is called after three seconds and
 * then every ten until the container is there. Keep pair[0]
 * open as long as it shall live. Returns 0, or -1.
 */
int start_container(const char *firn, char *const *words, char *const *environment, const char *cwd,
		    int group, int pair[2], void (*waiting)(int seconds), struct session_offer *offer,
		    struct err *err);

#endif
