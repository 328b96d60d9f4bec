/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * trust.h - whose word a configuration is.
 *
 * The site's file is read if it is root's, or the caller's own in a directory of his
 * own: an install below his home, of which he decides alone. A file of his in a
 * directory of root's is neither: what the site requires would be his to lower. It
 * is never that of a third user, and nobody but the owner may be able to write to it.
 *
 * In a user namespace that does not know the machine's root, of a sandbox or another
 * container, root's file appears to belong to the overflow uid, which stands for all
 * owners that the namespace has no number for (user_namespaces(7)). Which of them it is
 * cannot be known in there; it is taken for root's where no number of the namespace is
 * that uid, and we could not have written it. Who is in there could put any file in its
 * place, and firn has no privilege to lend.
 */
#ifndef FIRN_LIB_CONF_TRUST_H
#define FIRN_LIB_CONF_TRUST_H

#include "lib/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whether @uid, as stat(2) shows it, is root's, or may be: it stands for owners not known here. */
bool trust_is_roots(uid_t uid);

/*
 * Whether the open file @fd at @path may be read: as the site's if @site, else as one that
 * a user named, which is the caller's own or root's. Returns 0, or -1 with @err saying why not.
 */
int trust_check(int fd, const char *path, bool site, struct err *err);

/* Whether the text @map of a /proc/PID/uid_map gives @uid, as it is inside, to anybody. */
bool trust_maps_uid(const char *map, uid_t uid);

#endif
