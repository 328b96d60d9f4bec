/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * compose.h - from what is asked and what the image is to a plan.
 *
 * All decisions are made here: what is bound, what the environment holds, what
 * is run. Host files are looked at (does this source exist, is it a directory)
 * but nothing is changed.
 */
#ifndef FIRN_COMPOSE_H
#define FIRN_COMPOSE_H

#include "lib/conf.h"
#include "lib/plan.h"
#include "runner/content.h"
#include "runner/request.h"

int compose(const struct request *request, const struct conf *conf, struct content *content,
	    struct plan **out, struct err *err);

/*
 * What is run: the words of the plan's argv and the image's working directory
 * and environment, from the request and the image's OCI configuration or
 * runscript. compose_command.c; part of compose().
 */
struct command {
	char **argv;   /* owned */
	char *workdir; /* owned; NULL when the image names none */
	char **env;    /* owned; the image's variables, or NULL */
};
int command_find(const struct request *request, struct content *content, struct command *out,
		 struct err *err);
void command_clear(struct command *command);

#endif
