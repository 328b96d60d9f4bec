/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * launch.h - do what the plan says, and become its program.
 */
#ifndef FIRN_LAUNCH_H
#define FIRN_LAUNCH_H

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/plan.h"
#include "runner/content.h"

/* Returns only on failure: -1, with the exit status in err->status. */
int launch(const struct plan *plan, const struct content *content, const struct conf *conf,
	   struct err *err);

#endif
