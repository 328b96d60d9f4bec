/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * engine.h - squashfuse as the mount server, for comparison ("engine = squashfuse").
 */
#ifndef FIRN_ENGINE_H
#define FIRN_ENGINE_H

#include "lib/conf.h"
#include "lib/err.h"
#include "runner/server/server.h"

#include <stdint.h>

struct engine {
	char *program;   /* absolute path; owned */
	uint64_t offset; /* of the squashfs in the image file, bytes */
};

/* Find conf->squashfuse, in PATH unless it is a path. */
int engine_find(const struct conf *conf, uint64_t offset, struct engine *out, struct err *err);

/* For server_options.engine, with a struct engine as its engine_arg. */
int engine_become(const struct server_options *options, int device);

#endif
