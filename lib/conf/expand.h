/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * expand.h - one line of firn.conf for many users: $USER, $HOME, $UID and ~ in paths.
 *
 * A path may hold $USER, $HOME and $UID anywhere, and begin with "~" or "~/", which is
 * $HOME. Any other word behind a $ is a mistake, told when the file is read; there is no
 * way to write a $ that is meant as one. What they stand for is looked up where the path is
 * used, so that a line about a cache disturbs nobody who needs none. USER and HOME are
 * the environment's: whoever bends them reaches no more than by naming the path himself, and
 * what is opened is checked as what it is.
 */
#ifndef FIRN_LIB_CONF_EXPAND_H
#define FIRN_LIB_CONF_EXPAND_H

#include "lib/err.h"

#include <stdbool.h>

/* The first word of @text that is not known, as "$HOST" or "~bob", its size in @len; or NULL. */
const char *expand_unknown(const char *text, int *len);

/*
 * Put what they stand for in their places: a new string in @out. Returns 0, or -1 when a variable
 * is not set or cannot stand in a path: USER is one name, HOME an absolute path.
 */
int expand_path(const char *text, char **out, struct err *err);

#endif
