/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * session_start.h - `firn session-start`: a container for tasks that somebody
 * else starts (the Slurm plugin; runner/session/session.h tells its side).
 */
#ifndef FIRN_RUNNER_SESSION_SESSION_START_H
#define FIRN_RUNNER_SESSION_SESSION_START_H

/* @argv begins behind the verb. Returns the exit status. */
int session_start_main(int argc, char **argv);

#endif
