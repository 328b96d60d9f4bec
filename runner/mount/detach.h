/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * detach.h - a process beside the program: the supervisor, a holder.
 *
 * It stays in the user's own namespaces, where no process of the container can
 * trace it. It is in no session but its own, nobody's child (the program must
 * not find an unknown child in wait(2)) and holds no descriptor but those it
 * needs: a pipe that it kept open, nobody waiting for its end would see end.
 *
 * A launcher's signals to a whole step (terminate and check-point, suspend at
 * the terminal) are for the program, which may want to end in order and needs
 * its files for that. So all signals that can be are blocked, the real-time ones
 * and those of faults, too (a fault itself still ends it); SIGKILL ends it, and so
 * does the end of its work.
 */
#ifndef FIRN_RUNNER_MOUNT_DETACH_H
#define FIRN_RUNNER_MOUNT_DETACH_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { DETACH_KEEP_MAX = 80, DETACH_STARTED_MAX = 3 };

struct detach {
	const char *aim;         /* for messages: "start the mount server" */
	const char *name;        /* as ps(1) shows it */
	/* Called before the process leaves anything but signals; may add to @keep. NULL: nothing to
	 * do */
	void (*early)(struct detach *detach);
	int (*main)(void *arg);  /* returns the exit status; has its own copy of all memory */
	void *arg;
	int keep[DETACH_KEEP_MAX]; /* descriptors that stay open; negative ones are none */
	size_t keep_count;
	bool log;                /* standard error stays open, too */
};

/* Called before unshare(2). */
int detach_start(struct detach *detach, struct err *err);

/* For a process that main() or early() made: leave what is not in @detach behind. It is not run. */
void detach_leave(struct detach *detach);

/* Close all descriptors but the standard ones and the @count of @keep, which is sorted then; or end
 * this process. */
void detach_close_others(int *keep, size_t count);

/* What this process has started so, DETACH_STARTED_MAX at most: process @i, or 0. */
pid_t detach_started(size_t i);

#endif
