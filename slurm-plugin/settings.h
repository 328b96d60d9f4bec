/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * settings.h - what the site says: firn.conf, and behind it the plugin's line in plugstack.conf.
 *
 * Both are root's files, the same for all users; nothing of a job's is looked at. A word that is
 * not known is an error: a slip in it must not mean a default.
 */
#ifndef FIRN_SLURM_PLUGIN_SETTINGS_H
#define FIRN_SLURM_PLUGIN_SETTINGS_H

#include "lib/conf/conf.h"

/* Texts are static or plugstack.conf's; nothing to be freed. */
struct settings {
	const char *firn;  /* program; firn=PATH */
	const char *munge; /* socket of munged; munge=PATH, NULL: its default */
	const char *spool; /* slurmd's directory; spool=PATH, NULL: found out */
	const char *jobs;  /* directory with one for each job on the node; run=PATH */
	enum conf_pin pin; /* pin=off|try|require */
	bool require_cage; /* firn.conf's alone */
};

/*
 * Words of plugstack.conf, "NAME=VALUE", are borrowed. Reads only files of the site's. Returns 0,
 * or -1 with @err.
 */
int settings_read(int argc, char **argv, struct settings *out, struct err *err);

#endif
