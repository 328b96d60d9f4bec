/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * env_scripts.h - the environment that an image keeps as scripts, /.singularity.d/env/N-NAME.sh.
 *
 * Apptainer and Singularity source them in the order of their names before anything is run
 * (its user guide, "Environment and Metadata"). Here they see what enters of the caller's
 * environment, and what the command line sets comes after them and wins.
 *
 * Scripts that only assign and export are evaluated (shell_env.h), which starts no process. When
 * one of them does more, the image's own /bin/sh runs all of them, inside the container, just
 * before the program (env_shell.h).
 */
#ifndef FIRN_RUNNER_PLAN_ENV_SCRIPTS_H
#define FIRN_RUNNER_PLAN_ENV_SCRIPTS_H

#include "lib/err.h"
#include "lib/words.h"
#include "runner/plan/content.h"

#define ENV_SCRIPTS_DIR "/.singularity.d/env"

enum {
	ENV_SCRIPTS_MAX = CONTENT_TEXTS_MAX, /* scripts of an image ... */
	ENV_SCRIPT_SIZE_MAX = 1 << 20,       /* ... and bytes of each */
};

/*
 * Do to @env what the scripts do. Where that takes a shell, @env is left as it was and @left gets
 * the scripts' paths, a new list (words_free()), else NULL. Returns 0, or -1.
 */
int env_scripts_apply(struct content *content, struct pairs *env, char ***left, struct err *err);

#endif
