/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * host.h - the names of hosts, as image names and firn.conf have them.
 *
 * HOST or HOST:PORT, where HOST is a DNS name, an IPv4 address, or an IPv6 address in brackets:
 * what may stand between "https://" and the path of a URL (RFC 3986 3.2.2), without a user's name.
 */
#ifndef FIRN_LIB_HOST_H
#define FIRN_LIB_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { HOST_LEN_MAX = 260 }; /* of a DNS name, with its port */

/* Whether @text is one, and nothing else. */
bool host_is_valid(const char *text);

/* Whether @host (with or without a port) is this machine: localhost, 127.x.x.x or [::1]. */
bool host_is_loopback(const char *host);

/*
 * Where the path of @url begins, or its end: "http://" or "https://", a host, and a path without
 * a question, a fragment or a blank. NULL: it is no such URL.
 */
const char *host_url_path(const char *url);

/* What of @url, which is one, is the host: @len bytes of it. */
const char *host_of_url(const char *url, size_t *len);

#endif
