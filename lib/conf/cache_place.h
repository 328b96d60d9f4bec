/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cache_place.h - where the cache of fetched layers is, for who uses it and for who tells.
 */
#ifndef FIRN_LIB_CONF_CACHE_PLACE_H
#define FIRN_LIB_CONF_CACHE_PLACE_H

#include "lib/conf/conf.h"

#include <sys/stat.h>

/*
 * $FIRN_CACHE, firn.conf's [build] cache, $XDG_CACHE_HOME/firn or ~/.cache/firn: a new string in
 * @out. It need not be there. Returns 0, or -1 where there is no telling.
 */
int cache_place(const struct conf *conf, char **out, struct err *err);

/*
 * Whether the directory with @stat is for all, root's and sticky as /tmp is: who makes a folder in
 * it can be sure that it stays his. The cache is then in a folder of the user's name.
 */
bool cache_place_is_for_all(const struct stat *stat);

#endif
