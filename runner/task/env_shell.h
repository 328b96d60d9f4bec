/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * env_shell.h - let the image's own shell make the environment, where its scripts want one.
 *
 * For what runner/plan/env_scripts.h could not evaluate. /bin/sh of the image sources the
 * scripts in the image's working directory and says what is exported then (export -p, POSIX XCU
 * 2.14), which is read with care. It runs inside the container, as the program will, with
 * nothing on its standard input.
 */
#ifndef FIRN_RUNNER_TASK_ENV_SHELL_H
#define FIRN_RUNNER_TASK_ENV_SHELL_H

#include "lib/err.h"
#include "lib/plan.h"

enum { ENV_SHELL_SIZE_MAX = 4 << 20 }; /* bytes of what the shell says */

/*
 * Run plan->scripts, if any, and put what comes of it in plan->env; plan->own goes over that. To be
 * called inside the container. Returns 0, or -1 when there is no shell, or it ended before their
 * end; it may take as long as the scripts do.
 */
int env_shell_run(struct plan *plan, struct err *err);

#endif
