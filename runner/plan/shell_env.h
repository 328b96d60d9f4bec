/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shell_env.h - what a small shell script does to the environment, without a shell.
 *
 * Images of Apptainer and Singularity keep their environment as scripts,
 * /.singularity.d/env/N-NAME.sh, most of which only assign and export. Those are evaluated here:
 *
 *     NAME=WORD...   export NAME[=WORD]...   unset NAME...   :   true   return
 *     [ -n|-z WORD ]   [ WORD =|!= WORD ]   test ...   COMMAND && COMMAND || COMMAND
 *     if, then, elif, else, fi   comments   '...' "..." $'...' \c   $NAME ${NAME}
 *     ${NAME:-WORD} ${NAME-WORD} ${NAME:+WORD} ${NAME+WORD} ${NAME:=WORD} ${NAME=WORD}
 *
 * as POSIX.1-2017 (XCU 2, "Shell Command Language") has them; arguments of export are not split
 * into fields, as in bash. Variables that a shell sets by itself (UID, PWD, BASH_VERSION, ...) are
 * not known here. Whatever else a script does in a branch that is taken needs a real
 * shell, and the caller is told so. What stands in a branch not taken is passed over.
 * Nothing is executed, opened or looked up.
 */
#ifndef FIRN_RUNNER_PLAN_SHELL_ENV_H
#define FIRN_RUNNER_PLAN_SHELL_ENV_H

#include "lib/own.h"

#include <stddef.h>

enum {
	SHELL_ENV_VALUE_MAX = 131071, /* bytes of NAME=VALUE: the kernel's MAX_ARG_STRLEN */
	SHELL_ENV_DEPTH_MAX = 64,     /* of ifs, and of words in words */
};

/* Variables as a shell holds them: exported or not. */
struct shell_env;

/* Begin with @environ (NAME=VALUE..., NULL-terminated), all of it exported. NULL without memory. */
struct shell_env *shell_env_new(char *const *environ);
void shell_env_free(struct shell_env *env);
void shell_env_freep(struct shell_env **env);
#define auto_shell_env CLEANUP(shell_env_freep) struct shell_env

/*
 * Evaluate @text, @size bytes. Returns 1 when all of it was understood, or 0 with the number of the
 * line that was not in @line: then @env is of no use any more. -1 without memory.
 */
int shell_env_eval(struct shell_env *env, const char *text, size_t size, unsigned *line);

/*
 * The same of what a shell says of itself, by `export -p` (POSIX XCU 2.14): assignments to its own
 * variables are what they seem there.
 */
int shell_env_hear(struct shell_env *env, const char *text, size_t size, unsigned *line);

/* Give every exported variable to @take, in the order in which they came. -1 from it ends that. */
int shell_env_each(const struct shell_env *env,
		   int (*take)(void *arg, const char *name, const char *value), void *arg);

#endif
