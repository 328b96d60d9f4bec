/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shortname.h - which image a name without a registry means.
 *
 * "alpine" means what the machine's owner says, then what the files of podman and its kin
 * say (registries_conf.h), then Docker Hub's: the first of
 *
 *   1. firn.conf's [pull] default,
 *   2. an alias of registries.conf,
 *   3. the first of its unqualified-search-registries,
 *   4. docker.io.
 *
 * One registry is asked. The others of a list may have an image of the same name by
 * somebody else; which one is meant is not found out by asking around.
 */
#ifndef FIRN_BUILDER_FETCH_SHORTNAME_H
#define FIRN_BUILDER_FETCH_SHORTNAME_H

#include "builder/fetch/reference.h"

/*
 * What @text means. @default_host is firn.conf's, or NULL. Returns a new reference, and in
 * @said (the caller frees it) one line that says what was chosen and by whom; NULL where
 * @text names its registry. -1 with @err for a name that is none, or for a file that cannot
 * be understood.
 */
int shortname_resolve(const char *text, const char *default_host, struct reference **out,
		      char **said, struct err *err);

#endif
