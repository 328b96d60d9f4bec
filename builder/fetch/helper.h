/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * helper.h - ask a docker-credential-* program.
 *
 * The protocol of docker-credential-helpers: "get" as argument, the server on
 * standard input, JSON on standard output. No shell is involved.
 */
#ifndef FIRN_BUILDER_FETCH_HELPER_H
#define FIRN_BUILDER_FETCH_HELPER_H

#include "lib/err.h"

#include <stddef.h>

/*
 * @name is what stands behind "docker-credential-". Returns 1 with the answer in a new
 * string, 0 when the helper has nothing for @server, -1 when it fails or takes too long:
 * 30 seconds to answer, and 2 more to end. It has SIGPIPE and SIGXFSZ as usual.
 */
int helper_get(const char *name, const char *server, char **text, size_t *size, struct err *err);

#endif
