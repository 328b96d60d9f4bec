/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * store_place.h - where images of registries' names are kept.
 *
 * Several directories: those of firn.conf's [store] dir, in their order, and then the user's own.
 * A name is looked for in all of them; what is made goes into the first that is the caller's to
 * write to. So a site may fill one that all read, and a group may share one. Which directory is
 * good enough is said in cache_place.h.
 */
#ifndef FIRN_LIB_CONF_STORE_PLACE_H
#define FIRN_LIB_CONF_STORE_PLACE_H

#include "lib/conf/cache_place.h"

/* Owned, each one's path, too. */
struct store_places {
	struct cache_place *item;
	size_t count; /* at least one */
};

/*
 * $FIRN_STORE alone; else what @conf names and then $XDG_DATA_HOME/firn/images, else
 * ~/.local/share/firn/images, in @out, which the caller clears in any case. None need be there.
 * Returns 0, or -1 where there is no telling.
 */
int store_places_find(const struct conf *conf, struct store_places *out, struct err *err);
void store_places_clear(struct store_places *places);
#define auto_store_places CLEANUP(store_places_clear) struct store_places

#endif
