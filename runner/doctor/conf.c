/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether firn.conf can be read, and who can mend it with which command. */
#include "runner/doctor/doctor.h"

#include "lib/conf/conf.h"
#include "lib/conf/trust.h"
#include "lib/own.h"
#include "paths.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define SITE_FILE SYSCONFDIR "/firn/firn.conf"

static bool is_dirs_owner(const char *path, uid_t uid)
{
	char dir[PATH_MAX];
	struct stat stat_;
	const char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	return stat(dir, &stat_) == 0 &&
	       (uid == 0 ? trust_is_roots(stat_.st_uid) : stat_.st_uid == uid);
}

/* Of the file of a third user: only he, or root, can do something about it. */
static void remedy_owner(struct finding *finding, const char *path, uid_t owner)
{
	if (is_dirs_owner(path, 0))
		finding_remedy(finding, "as root: chown root:root %s", path);
	else if (geteuid() == 0)
		finding_remedy(finding,
			       "as that user, whose install this is, or by an install of root's "
			       "own: ../configure --prefix=/usr/local && make install");
	else
		finding_remedy(finding,
			       "this install is user %u's alone: make one of your own by "
			       "../configure --prefix=\"$HOME/.local\" && make install",
			       (unsigned)owner);
}

void doctor_conf_remedy(struct finding *finding, const char *path, const char *said)
{
	const char *line = strstr(said, "' line ");
	struct stat stat_;
	bool known = stat(path, &stat_) == 0;
	bool own = known && stat_.st_uid == geteuid() && is_dirs_owner(path, geteuid());

	if (!known)
		finding_remedy(finding, "let all users read it: chmod a+rX %.*s %s",
			       (int)(strrchr(path, '/') - path), path, path);
	else if (!S_ISREG(stat_.st_mode))
		finding_remedy(finding, "remove it, or put a text file in its place; "
					"firn.conf(5) tells what it says");
	else if (!trust_is_roots(stat_.st_uid) && !own)
		remedy_owner(finding, path, stat_.st_uid);
	else if (stat_.st_mode & (S_IWGRP | S_IWOTH))
		finding_remedy(finding, "%schmod go-w %s", own ? "" : "as root: ", path);
	else if (line)
		finding_remedy(finding, "correct line %d of %s, or begin it with '#'",
			       atoi(line + strlen("' line ")), path);
	else if (access(path, R_OK) < 0)
		finding_remedy(finding, "%schmod a+r %s", own ? "" : "as root: ", path);
	else
		finding_remedy(finding, "write it anew; firn.conf.example beside it shows how");
}

void doctor_conf(struct finding *finding)
{
	auto_conf *conf = NULL;
	char denied[160] = "";
	size_t used = 0;
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0) {
		finding_set(finding, FINDING_MISSING, "%.*s", (int)sizeof(finding->text) - 1,
			    err.text);
		doctor_conf_remedy(finding, SITE_FILE, err.text);
		return;
	}
	for (size_t i = 0; i < conf->deny.count && used < sizeof(denied); i++)
		used += (size_t)snprintf(denied + used, sizeof(denied) - used, "%s %s",
					 i == 0 ? "; denied:" : "", conf->deny.item[i]);
	finding_set(finding, FINDING_OK, "%s%s",
		    access(SITE_FILE, F_OK) == 0
			    ? SITE_FILE " is in order"
			    : "the defaults are in force: there is no " SITE_FILE,
		    denied);
}
