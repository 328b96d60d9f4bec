/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * start.h - get a container from `firn session-start`, as the user.
 *
 * What is started belongs to the user: it can be stopped, traced, held at its end, and made to say
 * or to hand over anything. slurmstepd, which waits for it and is root's, must take no harm:
 *
 *   - Until it executes firn, the child is a copy of slurmstepd with all that this has in memory.
 *     It closes what slurmstepd has open, is not dumpable (so its user can neither trace it nor
 *     read its memory, from the first moment on) and touches no path but firn's, the site's.
 *   - A guard is between the two, a copy of slurmstepd, too, but with root's real ids: no signal of
 *     the user's reaches it. It starts the child and looks at what comes from it, so that no
 *     descriptor of unknown kind gets into slurmstepd (session_forward()). wait(2) in slurmstepd
 *     sees neither: the guard ends without SIGCHLD, and the child is the guard's.
 *   - No wait is without a limit. At the limit both are killed and slurmstepd goes on.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_START_H
#define FIRN_SLURM_PLUGIN_NODE_START_H

#include "runner/session/session.h"

struct start {
	const char *firn; /* program: absolute, the site's */
	char *const *words;
	char *const *environment;
	int group;   /* cgroup.procs, opened by root, of the group to enter before it; -1: none */
	int space;   /* mount namespace to enter before it (space.h); -1: none */
	int pair[2]; /* SOCK_SEQPACKET, O_CLOEXEC; "--control-fd=N" among the words names pair[1] */
	/* Called after three seconds and then every ten until the container is there. */
	void (*waiting)(int seconds);
};

/*
 * Called in slurmstepd with the user's effective ids, in the directory of the job, where firn
 * starts as well if there is no @space to enter. Closes pair[1]. pair[0] is the caller's, to be
 * kept open as long as the container shall live. Gives up after a quarter of an hour. Returns 0
 * with @offer filled, or -1: then pair[0] is shut down, and not to be closed (session_forward()).
 */
int start_container(struct start *start, struct session_offer *offer, struct err *err);

#endif
