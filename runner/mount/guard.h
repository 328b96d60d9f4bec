/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * guard.h - what --contain promises beside the mounts.
 *
 * A namespace of mounts does not take away what a process holds already. The
 * terminal is one such thing: ioctl(2) TIOCSTI types into it, and what is typed
 * is a command for the shell outside (CVE-2017-5226 is of this kind; kernels
 * before 6.2 always allow it, later ones if dev.tty.legacy_tiocsti is 1).
 * TIOCLINUX pastes on a console. A directory that is open is another: the host's
 * whole tree is in reach from it.
 */
#ifndef FIRN_RUNNER_MOUNT_GUARD_H
#define FIRN_RUNNER_MOUNT_GUARD_H

#include "lib/err.h"

/*
 * Close the directories among the open descriptors, with a line for each; a standard stream
 * becomes /dev/null. Files, pipes and sockets stay: a launcher speaks to its ranks by them.
 * To be called before any directory is opened here.
 */
int guard_descriptors(struct err *err);

/*
 * Refuse TIOCSTI and TIOCLINUX, by seccomp(2), to this process and all that come of it. It
 * needs no_new_privs. A system that cannot is an error. All other calls are left alone.
 */
int guard_terminal(struct err *err);

#endif
