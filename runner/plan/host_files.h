/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * host_files.h - the host's small files that make its network and time work inside.
 *
 * /etc/hosts and /etc/resolv.conf change while a container lives, and are mostly
 * replaced when they do: a bind of the file would go on showing the old one. So
 * the directory that the host's file is in is shown at /.firn/host, and the
 * name in /etc becomes a symlink into it. That takes firn's own mount server;
 * elsewhere, and in a contained program, the file itself is bound, and only what
 * is written into it is seen. Where the container can be written to they are
 * copies, for programs there expect to change them. /etc/localtime is a copy always.
 */
#ifndef FIRN_RUNNER_PLAN_HOST_FILES_H
#define FIRN_RUNNER_PLAN_HOST_FILES_H

#include "lib/err.h"
#include "lib/plan.h"

#include <stdbool.h>

/* Append the steps to @plan, whose engine and overlay are known. @contain: show no directory.
 * Returns 0 or -1. */
int host_files_add(struct plan *plan, bool contain, struct err *err);

/*
 * When all binds are planned: a file that one of them covers is a copy instead of a link.
 * Through the link the bind would go into the host's directory, where it is none of the
 * image's names, and where the kernel takes it away when the host replaces its file.
 */
int host_files_settle(struct plan *plan, struct err *err);

/*
 * Append a /dev for a contained program: what every program may expect, and nothing of this machine
 * but the caller's terminal, as /dev/console. Returns 0 or -1.
 */
int host_files_add_dev(struct plan *plan, struct err *err);

#endif
