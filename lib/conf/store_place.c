/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/store_place.h"

#include "lib/conf/expand.h"

#include <stdio.h>
#include <stdlib.h>

/* @path is taken over; NULL: there was no memory for it. */
static int add(struct store_places *out, char *path, size_t shared, enum cache_use use,
	       struct err *err)
{
	auto_free char *owned = path;
	struct cache_place *grown =
		owned ? reallocarray(out->item, out->count + 1, sizeof(*grown)) : NULL;

	if (!grown)
		return err_sys(err, "cannot name the store");
	out->item = grown;
	out->item[out->count++] = (struct cache_place){take_ptr(&owned), shared, use};
	return 0;
}

static int add_configured(const struct conf *conf, struct store_places *out, struct err *err)
{
	for (size_t i = 0; i < conf->store.count; i++) {
		const char *text = conf->store.item[i];
		char *path = NULL;

		if (expand_path(text, &path, err) < 0)
			return err_aim(err, "firn.conf's [store] dir");
		if (add(out, path, cache_shared_part(text),
			conf->store_group ? PLACE_OF_GROUP_STORE : PLACE_OF_STORE, err) < 0)
			return -1;
	}
	return 0;
}

/* The user's own; he may be without one where others are named. */
static int add_own(struct store_places *out, struct err *err)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (xdg && *xdg == '/')
		path = asprintf(&path, "%s/firn/images", xdg) < 0 ? NULL : path;
	else if (home && *home == '/')
		path = asprintf(&path, "%s/.local/share/firn/images", home) < 0 ? NULL : path;
	else if (out->count > 0)
		return 0;
	else
		return err_set(err, "no place for images: set HOME, XDG_DATA_HOME or FIRN_STORE");
	return add(out, path, 0, PLACE_OF_STORE, err);
}

int store_places_find(const struct conf *conf, struct store_places *out, struct err *err)
{
	const char *only = getenv("FIRN_STORE");

	*out = (struct store_places){0};
	if (only && *only)
		return add(out, strdup(only), 0,
			   conf->store_group ? PLACE_OF_GROUP_STORE : PLACE_OF_STORE, err);
	return add_configured(conf, out, err) < 0 ? -1 : add_own(out, err);
}

void store_places_clear(struct store_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		cache_place_clear(&places->item[i]);
	free(places->item);
	*places = (struct store_places){0};
}
