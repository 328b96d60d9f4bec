/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether layers that were fetched can be kept, and where. */
#include "runner/doctor/doctor.h"

#include "lib/conf/cache_place.h"
#include "lib/own.h"

#include <string.h>

/* What the site names for all is to be for all; what a user names is his to name. */
static void remedy_owner(struct finding *finding, const char *path)
{
	const char *own = getenv("FIRN_CACHE");

	if (own && *own)
		finding_remedy(finding, "let FIRN_CACHE name a directory of your own, or unset it");
	else
		finding_remedy(finding,
			       "in firn.conf, [build] cache = /PLACE/$USER; or for all: chown "
			       "root:root '%.160s' && chmod 1777 '%.160s'",
			       path, path);
}

/* Of what is at @path, with @stat. */
static void tell_place(struct finding *finding, const char *path, const struct stat *stat)
{
	if (!S_ISDIR(stat->st_mode)) {
		finding_set(finding, FINDING_WARNING, "'%.160s' is no directory", path);
		finding_remedy(finding, "name another one in firn.conf: [build] cache");
	} else if (cache_place_is_for_all(stat)) {
		finding_set(finding, FINDING_OK, "'%.160s', with a folder for each user", path);
	} else if (stat->st_uid != geteuid()) {
		finding_set(finding, FINDING_WARNING,
			    "'%.160s' is not used: it belongs to another user (%u)", path,
			    (unsigned)stat->st_uid);
		remedy_owner(finding, path);
	} else if (stat->st_mode & (S_IWGRP | S_IWOTH)) {
		finding_set(finding, FINDING_WARNING,
			    "'%.160s' is not used: others can write to it", path);
		finding_remedy(finding, "chmod go-w '%.160s'", path);
	} else {
		finding_set(finding, FINDING_OK, "'%.160s'", path);
	}
}

void doctor_cache(struct finding *finding)
{
	auto_conf *conf = NULL;
	auto_free char *path = NULL;
	struct stat stat_;
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0)
		conf = conf_new(); /* what is wrong with it is told elsewhere */
	if (!conf || cache_place(conf, &path, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "%.200s", conf ? err.text : "out of memory");
		finding_remedy(finding, "export HOME, or name a directory in firn.conf: [build] "
					"cache");
	} else if (stat(path, &stat_) == 0) {
		tell_place(finding, path, &stat_);
	} else if (errno == ENOENT) {
		finding_set(finding, FINDING_OK, "'%.160s', made when it is needed", path);
	} else {
		finding_set(finding, FINDING_WARNING, "'%.160s' is not used: %s", path,
			    strerror(errno));
		finding_remedy(finding, "name another one in firn.conf: [build] cache");
	}
}
