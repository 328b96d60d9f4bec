/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * overlay_lock.h - one container at a time uses an overlay's directory.
 *
 * The kernel leaves it undefined what becomes of two overlays with one upper
 * directory, and of one that is laid on another image than the one it was made on.
 *
 * A lock on DIR/lock (fcntl(2), F_OFD_SETLK: it reaches other nodes where the file
 * system's locks do) is held for as long as the mount is there, whoever uses it: a
 * process beside the program holds the lock and waits until the kernel tells that the
 * file system is gone (inotify(7), IN_UNMOUNT). DIR/image says what it was made on.
 */
#ifndef FIRN_RUNNER_MOUNT_OVERLAY_LOCK_H
#define FIRN_RUNNER_MOUNT_OVERLAY_LOCK_H

#include "lib/err.h"
#include "lib/image/image.h"
#include "lib/plan.h"

struct overlay_lock {
	int dir;     /* DIR, O_PATH; -1: nothing is locked */
	int events;  /* inotify */
	int mounted; /* the holder hears here that there is a mount, or that there will be none */
};

#define OVERLAY_LOCK_NONE ((struct overlay_lock){-1, -1, -1})

/*
 * Lock the directory of @plan's overlay, if it has one, for @image. To be called before the
 * namespaces are entered. When others use it, for half a second, the error says who.
 */
int overlay_lock(const struct plan *plan, const struct image *image, struct overlay_lock *out,
		 struct err *err);

/* The overlay is mounted, and is "/". */
int overlay_lock_mounted(const struct overlay_lock *lock, struct err *err);

/* Close what is open here; without a mount the directory is free again. */
void overlay_lock_clear(struct overlay_lock *lock);
#define auto_overlay_lock CLEANUP(overlay_lock_clear) struct overlay_lock

/*
 * Whether @image is the one that the text @made_on of DIR/image tells; an empty one fits any.
 * Returns 1, 0 or -1. For overlay_lock() and the tests.
 */
int overlay_fits(const char *made_on, const struct image *image, struct err *err);

#endif
