/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * task.h - the launcher becomes the program.
 */
#ifndef FIRN_RUNNER_TASK_TASK_H
#define FIRN_RUNNER_TASK_TASK_H

#include "lib/err.h"
#include "lib/plan.h"

/*
 * Enter the working directory and execute the plan's command, searched for in
 * the PATH of its environment. Returns only on failure: -1, with the exit status
 * in err->status.
 */
int task_become(struct plan *plan, struct err *err);

#endif
