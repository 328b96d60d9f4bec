/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * deniable.h - the words of firn's command line that a site may deny.
 *
 * One table for the runner and the builder: long names of options, without
 * dashes, and verbs. An option is denied in all its spellings: -B and --mount
 * type=bind with "bind", --mount type=tmpfs with "tmpfs", --env-file with "env".
 * --mount and --env-file can be denied by their own names alone, too. --help
 * and what programs say to each other (firn session-start) cannot be denied.
 */
#ifndef FIRN_LIB_CONF_DENIABLE_H
#define FIRN_LIB_CONF_DENIABLE_H

#include <stdbool.h>

bool deniable(const char *word);
bool deniable_is_verb(const char *word);

#endif
