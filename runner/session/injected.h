/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * injected.h - carry out what of the host goes into a container (mpi-glue/edits.h).
 *
 * Who builds: injected_prepare() before anything is started, for the mount server must know what
 * will need a place; injected_resolve() once all else stands in the root. Then the plan has more
 * steps, and what the environment becomes is written in the container, for who joins. Who joins
 * reads that, and looks at nothing else. The last is injected_apply(), whoever it is.
 *
 * Which MPI was asked for is in the plan from the start, by injected_plan(), and so in the name of
 * the session.
 */
#ifndef FIRN_RUNNER_SESSION_INJECTED_H
#define FIRN_RUNNER_SESSION_INJECTED_H

#include "lib/err.h"
#include "lib/plan.h"
#include "mpi-glue/edits.h"
#include "mpi-glue/inject.h"
#include "runner/ask/request.h"

/* Of one container. All zero, nothing is injected, and every call is fine and does nothing. */
struct injected {
	struct inject *inject; /* while it is built */
	struct edits edits;    /* what came of it, or was read */
};
void injected_clear(struct injected *injected);

/* Whether the host's MPI goes in: --mpi host. */
bool injected_is_asked(const struct request *request);

/*
 * Append where it goes to @plan, if it is asked for, with what was asked: only those who ask for
 * the same share a container. Returns 0, or -1: @request contradicts itself.
 */
int injected_plan(const struct request *request, struct plan *plan, struct err *err);

/* Look at this machine, and append what may need a place to @plan. Returns 0, or -1 with why not.
 */
int injected_prepare(struct injected *injected, const struct request *request, struct plan *plan,
		     struct err *err);

/* Decide by what is at @root, O_PATH, and append the steps to @plan, whose task is complete. */
int injected_resolve(struct injected *injected, int root, struct plan *plan, struct err *err);

/* As a member, inside: read what was decided. */
int injected_read(struct injected *injected, struct err *err);

/* Change the environment of @plan, which is complete. */
int injected_apply(const struct injected *injected, struct plan *plan, struct err *err);

#endif
