/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * compose.h - from what is asked and what the image is to a plan.
 *
 * All decisions are made here: what is bound, what the environment holds, what
 * is run. Host files are looked at (does this source exist, is it a directory)
 * but nothing is changed.
 *
 * In two parts. The container depends on the request alone, so that a rank can
 * find out whether it is there already before it has read a byte of the image.
 * The task depends on what the image says of itself, too.
 */
#ifndef FIRN_RUNNER_PLAN_COMPOSE_H
#define FIRN_RUNNER_PLAN_COMPOSE_H

#include "lib/conf/conf.h"
#include "lib/plan.h"
#include "runner/ask/request.h"
#include "runner/plan/content.h"

/* A plan in the making. It borrows what it is made of. */
struct composer;

/* Plan the container: who, the root and all steps. */
int compose_container(const struct request *request, const struct conf *conf,
		      const struct image *image, struct composer **out, struct err *err);
struct plan *composer_plan(const struct composer *composer);

/* Whether the host's launcher is to start what is in there: --mpi hybrid or host, not contained. */
bool composer_wires_up(const struct composer *composer);

/*
 * Plan the task: words, environment and working directories. @content is the
 * image, or the root that it is already. The composer is of no use afterwards.
 */
int compose_task(struct composer *composer, struct content *content, struct plan **out,
		 struct err *err);
void composer_free(struct composer *composer);
void composer_freep(struct composer **composer);
#define auto_composer CLEANUP(composer_freep) struct composer

/*
 * What is run: the words of the plan's argv and the image's working directory
 * and environment, from the request and the image's OCI configuration or
 * runscript. command.c; part of compose_task().
 */
struct command {
	char **argv;   /* owned */
	char *workdir; /* owned, absolute and tidy; NULL when the image names none */
	char **env;    /* owned; the image's variables, or NULL */
};
int command_find(const struct request *request, struct content *content, struct command *out,
		 struct err *err);
void command_clear(struct command *command);
/* What of the image decides what is run, and its environment, but for the configuration. */
struct content_files command_files(const struct request *request);

#endif
