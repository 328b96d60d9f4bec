/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * engine.h - squashfuse as the mount server, for comparison ("engine = squashfuse").
 *
 * It gets the device that was opened and mounted for it, as libfuse takes one:
 * /dev/fd/N in the place of a mount point. It is the supervisor's worker as our own
 * server is, but runs in no cage, and is not started again, as nobody knows what
 * it had read.
 */
#ifndef FIRN_RUNNER_MOUNT_ENGINE_H
#define FIRN_RUNNER_MOUNT_ENGINE_H

#include "lib/conf/conf.h"
#include "lib/err.h"
#include "lib/image/image.h"

#include <stdint.h>

/* What engine_become() needs, found before the process is split from its surroundings. */
struct engine {
	char *program;   /* absolute path; owned */
	int image;       /* the file; borrowed */
	uint64_t offset; /* of the squashfs in it, bytes */
};

/* Find conf->squashfuse, in PATH unless it is a path. Returns 0, or -1 with @err naming it. */
int engine_find(const struct conf *conf, const struct image *image, struct engine *out,
		struct err *err);

/* Become it, for the mounted @device, with a struct engine. Returns an exit status if it cannot. */
int engine_become(void *engine, int device);

#endif
