/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * env_file.h - the lines of --env-file.
 *
 * Files come from Docker's users (NAME=VALUE to the letter, NAME alone for the
 * host's value) and from shells ("export NAME='VALUE'"). What both mean alike is
 * taken, and what would mean one thing here and another there is an error:
 * a value is either without quotes or in one pair of them. Nothing is expanded.
 */
#ifndef FIRN_RUNNER_ASK_ENV_FILE_H
#define FIRN_RUNNER_ASK_ENV_FILE_H

#include "lib/err.h"

#include <stdbool.h>

enum { ENV_FILE_SIZE_MAX = 16 << 20 }; /* bytes: above what execve(2) takes of all variables */

/*
 * Take one line apart, in place. Returns 1 with @name and @value (NULL: the
 * host's is meant), 0 for a blank or a comment, or -1 with @why, a static text.
 */
int env_file_line(char *line, char **name, char **value, const char **why);

/* Whether @name can be a variable's: no blank, quote, '=' or control byte, and no digit first. */
bool env_name_is_good(const char *name);

/*
 * Call @take for each variable of @path, which is open as @fd (borrowed; -1: not yet); -1 from it
 * (out of memory) ends the reading. It may be a pipe, and a byte order mark at its beginning is
 * passed over; all of it is read first, so that of a file too large nothing is taken. Returns 0, or
 * -1 with @err naming file and line.
 */
int env_file_read(const char *path, int fd,
		  int (*take)(void *arg, const char *name, const char *value), void *arg,
		  struct err *err);

#endif
