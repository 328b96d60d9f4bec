/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cage.h - the server's cage: which system calls it keeps, and how much memory.
 *
 * The list is short enough to be read: cage.c says of each call what it is for. Memory is
 * bounded by the caches' sizes and a fixed part, so that an image cannot take the node's.
 */
#ifndef FIRN_RUNNER_SERVER_CAGE_H
#define FIRN_RUNNER_SERVER_CAGE_H

#include "lib/cage/cage.h"
#include "runner/server/setup.h"

/* The cage of a worker with @options, for cage_enter() and cage_close(). */
struct cage server_cage(const struct server_options *options);

#endif
