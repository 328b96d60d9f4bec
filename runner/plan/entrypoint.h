/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * entrypoint.h - firn by the name "firn-entrypoint": inside a container, run a command by the
 * image's entrypoint.
 *
 * A batch system executes its tasks itself; all that can be changed is the first word. So that
 * is this program, which the container shows at ENTRYPOINT_PATH; the rest is in two variables.
 */
#ifndef FIRN_RUNNER_PLAN_ENTRYPOINT_H
#define FIRN_RUNNER_PLAN_ENTRYPOINT_H

#define ENTRYPOINT_NAME "firn-entrypoint"
#define ENTRYPOINT_PATH "/.firn/" ENTRYPOINT_NAME
#define ENTRYPOINT_WORDS "FIRN_ENTRYPOINT" /* the entrypoint's words, a newline between two */
#define ENTRYPOINT_COMMAND "FIRN_COMMAND"  /* the command's first word */

/* @argv: of the task, from its first word on. Returns an exit status, if at all. */
int entrypoint_main(int argc, char **argv);

#endif
