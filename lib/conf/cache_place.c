/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/cache_place.h"

#include "lib/conf/expand.h"
#include "lib/conf/trust.h"
#include "lib/own.h"

int cache_place(const struct conf *conf, char **out, struct err *err)
{
	const char *own = getenv("FIRN_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");
	int result;

	if (own && *own)
		result = asprintf(out, "%s", own);
	else if (conf->cache)
		return expand_path(conf->cache, out, err) < 0
			       ? err_aim(err, "firn.conf's [build] cache")
			       : 0;
	else if (xdg && *xdg == '/')
		result = asprintf(out, "%s/firn", xdg);
	else if (home && *home == '/')
		result = asprintf(out, "%s/.cache/firn", home);
	else
		return err_set(err, "no place for the cache: set HOME, XDG_CACHE_HOME or "
				    "FIRN_CACHE, or say --no-cache");
	return result < 0 ? err_sys(err, "cannot name the cache") : 0;
}

bool cache_place_is_for_all(const struct stat *stat)
{
	return trust_is_roots(stat->st_uid) && stat->st_mode & S_ISVTX &&
	       stat->st_mode & (S_IWGRP | S_IWOTH);
}
