/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * visible.h - variables that are of use only where what they name can be seen.
 *
 * A program that is told of a directory, socket or file that the container does
 * not show fails, or looks elsewhere than it was told. What single files say who
 * one is to X, SSH or Kerberos is shown, as long as it exists; all else is
 * dropped, and programs use their defaults.
 */
#ifndef FIRN_RUNNER_PLAN_VISIBLE_H
#define FIRN_RUNNER_PLAN_VISIBLE_H

#include "lib/err.h"
#include "lib/plan.h"

#include <stdbool.h>

/*
 * Whether NAME=VALUE in @text (NAME of @len bytes) names something on this
 * machine that @plan does not show. @runtime: the host's XDG_RUNTIME_DIR, or NULL.
 */
bool visible_is_missing(const struct plan *plan, const char *text, size_t len, const char *runtime);

/*
 * Append optional binds of the files that variables of @env (NULL-terminated)
 * name and that @plan does not show yet. Returns 0 or -1.
 */
int visible_add(struct plan *plan, char *const *env, struct err *err);

#endif
