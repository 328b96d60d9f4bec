/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * env.h - the program's environment.
 *
 * In this order, later winning: the host's variables less those that would
 * mislead the image's programs (firn.conf [env] drop), the image's own (OCI
 * config Env), PATH and HOME, what its scripts do, and what the command line says; what is to
 * stand around PATH does so whoever set it. What nobody set is added last: what a PMIx client of
 * another version must know. Each name is there once; of one that the host has twice the first
 * holds, as for getenv(3).
 */
#ifndef FIRN_RUNNER_PLAN_ENV_H
#define FIRN_RUNNER_PLAN_ENV_H

#include "lib/conf/conf.h"
#include "lib/err.h"
#include "lib/plan.h"
#include "lib/words.h"
#include "runner/ask/request.h"
#include "runner/plan/content.h"

/* All of it is borrowed. */
struct env_sources {
	const struct request *request;
	const struct conf *conf;
	char *const *host;        /* environ */
	char *const *image;       /* NAME=VALUE of the image, or NULL */
	const char *image_path;
	const char *home;         /* HOME inside */
	const struct plan *plan;  /* tells which host directories are visible */
	bool wireup;              /* the host's launcher starts the image's MPI */
	struct content *content;  /* for the image's scripts (env_scripts.h); NULL: none */
};

/* What is still to be done to an environment, inside the container: see env_shell.h. */
struct env_late {
	char **scripts; /* of the image, for its shell; NULL: all is done */
	char **own;     /* what the command line sets, which comes after them */
	char *path_first, *path_last; /* what is then put around PATH; NULL: nothing */
};

/*
 * Open the files of --env-file, before the process enters a container, where their names may
 * mean others. They are the request's; a second call does nothing. Returns 0, or -1 with @err.
 */
int env_open_files(struct request *request, struct err *err);

/*
 * Returns 0, a new list (lib/words.h) in @out, and in @late two more; or -1 with @err: a file that
 * cannot be read or understood, or no memory. What was left out is said at -v.
 */
int env_build(const struct env_sources *sources, char ***out, struct env_late *late,
	      struct err *err);

/* The value of @name in a list as environ, or in NULL; NULL if it is not there. The list's own. */
const char *env_get(char *const *env, const char *name);

#endif
