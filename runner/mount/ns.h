/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ns.h - the namespaces of the container, and leaving all privilege behind.
 */
#ifndef FIRN_RUNNER_MOUNT_NS_H
#define FIRN_RUNNER_MOUNT_NS_H

#include "lib/err.h"
#include "lib/plan.h"

#include <stdbool.h>

/*
 * Enter a new user and mount namespace in which the plan's user and group are
 * the only ones. The supplementary groups stay as they are: they keep opening
 * what they opened (device nodes, project directories), shown as 65534.
 * Returns 0, or -1; the caller is then good for nothing but to say so, as it may be in a
 * user namespace of its own.
 */
int ns_enter(const struct plan *plan, struct err *err);

/* The limit (sysctl) of user namespaces, if @user, or of mount namespaces. */
const char *ns_limit_of(bool user);

/*
 * Descriptors of the two namespaces that the caller is in, for others to enter.
 * Opened while the caller's /proc is the host's.
 */
int ns_open(int *user, int *mnt, struct err *err);

/* Empty all sets of capabilities, the bounding set too: no program gets any back. */
int ns_drop_capabilities(struct err *err);

#endif
