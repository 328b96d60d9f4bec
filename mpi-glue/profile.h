/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * profile.h - what a site says of one MPI of its machine: conf/profiles.d/NAME.conf.
 *
 * A file that lib/conf/lines.h reads, without sections; its name is the profile's. Keys:
 *
 *   match         sonames of the MPI that programs are linked to, for which the host's may stand
 *   lib           the host's library: sonames or paths, of which the first that is there is taken
 *   plugins       globs of what it opens by itself, and of what that opens
 *   data          globs of directories it reads, shown at the same path
 *   require       globs of which each must fit something on this machine
 *   env.set, env.prepend, env.append    NAME=VALUE
 *   env.unset     NAME
 *   abi           major, full (the default) or symbols: see enum verdict_abi
 *
 * All but abi may be repeated, and lists are parted by blanks. $LIBDIR in plugins, data and
 * variables is the directory of the library that was taken.
 */
#ifndef FIRN_MPI_GLUE_PROFILE_H
#define FIRN_MPI_GLUE_PROFILE_H

#include "lib/err.h"
#include "lib/own.h"
#include "lib/words.h"
#include "mpi-glue/edits.h"
#include "mpi-glue/loader/verdict.h"

/* One file's. All is its own. */
struct profile {
	char *name; /* "openmpi" */
	struct words match, lib, plugins, data, require;
	struct edits edits; /* of the environment; $LIBDIR still stands in them */
	enum verdict_abi abi;
	bool abi_is_set;
};

struct profiles {
	struct profile *item;
	size_t count;
};

/*
 * Read profiles, sorted by name. @asked may be NULL for all of the site's (SYSCONFDIR/firn/
 * profiles.d), or the name of one of them, or, with a slash in it, a file, or a directory of files,
 * of the user's own. Returns 0 with a new list in @out, or -1 with the cause: a file that cannot
 * be read or is wrong, no such profile, or none at all.
 */
int profiles_read(const char *asked, struct profiles **out, struct err *err);
void profiles_free(struct profiles *profiles);
void profiles_freep(struct profiles **profiles);
#define auto_profiles CLEANUP(profiles_freep) struct profiles

/* Read @text, which is changed, into @profile, which is all zero or was read before. For tests. */
int profile_take_text(struct profile *profile, char *text, const char *path, struct err *err);
void profile_clear(struct profile *profile);

#endif
