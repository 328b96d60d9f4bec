/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * workdir.h - where a program starts.
 *
 * Its results must not land in another directory without a word. So a name of
 * the caller's directory counts only if it is that directory inside, too.
 */
#ifndef FIRN_RUNNER_TASK_WORKDIR_H
#define FIRN_RUNNER_TASK_WORKDIR_H

#include "lib/err.h"
#include "lib/plan.h"

/*
 * Enter the first of the plan's directories that will do, inside the container.
 * Warns where that is not what was asked for, and corrects PWD in the plan's
 * environment. Returns its number in plan->cwd, or -1 when there is none.
 */
int workdir_enter(struct plan *plan, struct err *err);

#endif
