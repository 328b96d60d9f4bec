/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * key.h - who shares a container with whom.
 *
 * Ranks share one when they are started by the same launcher, by the same user,
 * from the same namespaces, with the same image and the same steps of the plan.
 * All of this goes into one name, so that whoever has the same name has the same
 * container.
 */
#ifndef FIRN_RUNNER_SESSION_KEY_H
#define FIRN_RUNNER_SESSION_KEY_H

#include "lib/err.h"
#include "lib/image/image.h"
#include "lib/plan.h"

#include <stdbool.h>

enum {
	SESSION_NAME_SIZE = 48,      /* bytes of the name, with the NUL */
	SESSION_LAUNCHER_SIZE = 512, /* likewise */
};

/*
 * Tell the launcher that started this process: a batch system's step, a PMIx
 * server, a daemon of MPI. Looks at the environment and, for daemons without a
 * name of their own, at the ancestors. Returns false when there is none.
 */
bool session_launcher(char out[SESSION_LAUNCHER_SIZE]);

/* The name of the session: "firn-" and hexadecimal digits. */
int session_name(const struct image *image, const struct plan *plan, const char *launcher,
		 char out[SESSION_NAME_SIZE], struct err *err);

/* The name of the session that the user calls @name in @scope (NULL: everywhere), whatever its
 * image is. */
int session_name_named(const char *scope, const char *name, char out[SESSION_NAME_SIZE],
		       struct err *err);

/* What makes its container, in the same form: image and plan, but for the working directory. */
int session_name_container(const struct image *image, const struct plan *plan,
			   char out[SESSION_NAME_SIZE], struct err *err);

/* Which image it is, in the same form. */
int session_name_image(const struct image *image, char out[SESSION_NAME_SIZE], struct err *err);

/* Part of session_launcher(), here for the tests: the text of /proc/PID/stat taken apart. */
bool session_stat_parse(const char *text, char name[16], int *parent, unsigned long long *start);

#endif
