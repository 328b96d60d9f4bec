/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * registries_conf.h - what other engines' configuration says of short names.
 *
 * containers-registries.conf(5) is TOML, and podman, buildah and skopeo read it. Two things
 * in it are about names without a host: "unqualified-search-registries", hosts in the order
 * of preference, and the table [aliases], which names one image for a short name. Of version
 * 1 of the format, [registries.search] is heeded. All else (mirrors, blocked registries,
 * "insecure") is read over: firn.conf(5) says that of firn.
 *
 * The reader knows the part of TOML that such files are made of: tables, keys bare, quoted
 * or dotted, strings on one line, arrays, inline tables, bare values, comments. What is ours
 * is taken in whichever of these forms it comes, without regard to case, as podman has it.
 * What the reader does not know, what is not of the kind it is to be, and an alias or a list
 * that one file has twice are errors with file and line, never a guess.
 */
#ifndef FIRN_BUILDER_FETCH_REGISTRIES_CONF_H
#define FIRN_BUILDER_FETCH_REGISTRIES_CONF_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>

struct registries_alias {
	char *name, *target; /* "alpine", "docker.io/library/alpine"; target "": none any more */
	char *path;	     /* the file that says so */
};

struct registries_conf {
	struct registries_alias *alias; /* in the order of the files */
	size_t alias_count;
	char **host; /* of the last file that has the key */
	size_t host_count;
	char *hosts_path; /* that file; NULL: none has it */
};

/* The last word on @name, or NULL. */
const struct registries_alias *registries_conf_alias(const struct registries_conf *conf,
						     const char *name);

/*
 * Read all that holds for this user into @out, which the caller clears, whatever is
 * returned: $CONTAINERS_REGISTRIES_CONF, else the user's file below $HOME/.config/containers
 * and the folder registries.conf.d beside it; or, where he has no such file, those of
 * /etc/containers and then his folder. In a folder, files that end in ".conf", by name. What
 * is not there is no error; what cannot be read or understood is, -1.
 */
int registries_conf_read(struct registries_conf *out, struct err *err);

/* Add what the @size bytes of @text say (with a NUL behind); @path is for messages. */
int registries_conf_take(struct registries_conf *conf, const char *text, size_t size,
			 const char *path, struct err *err);

void registries_conf_clear(struct registries_conf *conf);
#define auto_registries_conf CLEANUP(registries_conf_clear) struct registries_conf

#endif
