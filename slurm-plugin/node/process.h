/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * process.h - what is known of another process, without asking it.
 *
 * A process that its user controls decides what its memory is, /proc/PID/cmdline and environ with
 * it: a page there may come from a file system of the user's, and the reader waits for it. So no
 * more is read here than what the kernel itself knows: ids, control groups, the name of the
 * program.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_PROCESS_H
#define FIRN_SLURM_PLUGIN_NODE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The directory of process @name ("123") in @proc, which is /proc: it stays this process's, whoever
 * has the number later. Returns a descriptor, -1 if there is none.
 */
int process_open(int proc, const char *name);
/* Whether its real and its saved user id are root's: no program that a user may start is so from
 * birth. */
bool process_is_roots(int process);
/* Whether it executes the same program as this process, by name; that may have been replaced since.
 */
bool process_is_like_this(int process);
/* Whether it is in a control group whose path (in any hierarchy) ends with @end: "/job_7". */
bool process_is_in_group(int process, const char *end);

#endif
