/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * url.h - addresses: taken apart, put together, and whether they may go without TLS.
 *
 * By libcurl's own parser (curl_url(3)), so that what is checked here and what curl asks later are
 * the same host. Plain http carries names, contents and passwords in sight of everybody: it is for
 * this machine's own services and for hosts that the site's firn.conf calls insecure.
 */
#ifndef FIRN_BUILDER_FETCH_URL_H
#define FIRN_BUILDER_FETCH_URL_H

#include "lib/conf/conf.h"

#include <stdbool.h>

/* Whether plain http to @host (with its port) is allowed: this machine, or the site says so. */
bool url_may_be_plain(const struct conf *conf, const char *host);

/* The same, where the host @from leads there: a stranger may not have this machine's own services
 * asked. */
bool url_may_lead(const struct conf *conf, const char *from, const char *host);

/* "scheme", "host[:port]" of @url into new strings, owned by the caller. Returns 0, or -1 with
 * both NULL and @err saying that it is no URL. */
int url_split(const char *url, char **scheme, char **host, struct err *err);

/* Where @location, a URL or a part of one, leads, seen from @base (RFC 3986 5): a new string, or
 * NULL if nowhere. */
char *url_resolve(const char *base, const char *location);

/* @text as a part of a URL's query: a new string, or NULL without memory. */
char *url_escape(const char *text);

#endif
