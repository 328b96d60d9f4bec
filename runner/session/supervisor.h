/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * supervisor.h - the process that holds what a container needs to live.
 *
 * One process beside the program, outside of the container: it has the FUSE device, the
 * namespaces, the session's socket and pidfds of the tasks, and takes nothing of an
 * image apart. It lets others in (keeper.h) and keeps workers at work that do, one for
 * each image (minder.h): the root, and those mounted in it. There before the image is looked into,
 * so that whoever comes while that takes its time hears at once that it has to wait. Nobody is let
 * in any more when the root is gone. It ends when all mounts are, and with each, at the latest, its
 * worker.
 *
 * See doc/decisions/supervisor.md for who holds what.
 */
#ifndef FIRN_RUNNER_SESSION_SUPERVISOR_H
#define FIRN_RUNNER_SESSION_SUPERVISOR_H

#include "lib/err.h"
#include "lib/plan.h"
#include "runner/session/keeper.h"
#include "runner/session/minder.h"

#include <sched.h>

enum { SUPERVISOR_MINDERS_MAX = 1 + PLAN_IMAGES_MAX };

struct supervisor {
	struct keeper *keeper;  /* NULL: nobody else is let in */
	struct minder *minder;	/* one for each image that needs a server ... */
	size_t minders;		/* ... so many, SUPERVISOR_MINDERS_MAX at most ... */
	bool serves_root;	/* ... of which the first is the root's */
	int launcher;           /* a socket whose other end the launcher has, see below */
	const cpu_set_t *cpus;  /* where it runs; NULL: where its caller does */
};

/*
 * Start it as a process of its own (detach.h), before unshare(2). All descriptors in
 * the structures are the caller's to close afterwards. What @supervisor points to must
 * be in this process' own memory.
 */
int supervisor_start(struct supervisor *supervisor, struct err *err);

/* What it does, until nobody needs it. */
void supervisor_run(struct supervisor *supervisor);

/*
 * The launcher's words: the device of minder @number is mounted, the container is there (@config:
 * what joins it is to take for the image's configuration; -1: what it finds inside). The
 * descriptors stay the caller's. When the launcher's end is closed before, there is no container.
 */
int supervisor_mounted(int socket, size_t number, int device, struct err *err);
int supervisor_ready(int socket, int user, int mnt, int config, struct err *err);

#endif
