/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/url.h"

#include "lib/host.h"

#include <curl/curl.h>
#include <string.h>

bool url_may_be_plain(const struct conf *conf, const char *host)
{
	const struct conf_registry *registry = conf_registry(conf, host);

	return host_is_loopback(host) || (registry && registry->insecure);
}

bool url_may_lead(const struct conf *conf, const char *from, const char *host)
{
	const struct conf_registry *registry = conf_registry(conf, host);

	return (registry && registry->insecure) ||
	       (host_is_loopback(host) && url_may_be_plain(conf, from));
}

int url_split(const char *url, char **scheme, char **host, struct err *err)
{
	CURLU *parts = curl_url();
	char *name = NULL, *port = NULL, *kind = NULL;
	bool good = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		    curl_url_get(parts, CURLUPART_SCHEME, &kind, 0) == CURLUE_OK &&
		    curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK;

	*scheme = *host = NULL;
	if (good) {
		(void)curl_url_get(parts, CURLUPART_PORT, &port, 0);
		*scheme = strdup(kind);
		if (asprintf(host, "%s%s%s", name, port ? ":" : "", port ? port : "") < 0)
			*host = NULL;
	}
	curl_free(kind);
	curl_free(name);
	curl_free(port);
	curl_url_cleanup(parts);
	if (*scheme && *host)
		return 0;
	free(take_ptr(scheme));
	free(take_ptr(host));
	(void)err_set(err, "'%.200s' is no URL", url);
	return -1;
}

char *url_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0), *copy = escaped ? strdup(escaped) : NULL;

	curl_free(escaped);
	return copy;
}

/* Where @location, seen from @base, leads: new string. */
char *url_resolve(const char *base, const char *location)
{
	CURLU *parts = curl_url();
	char *url = NULL, *copy = NULL;

	if (parts && curl_url_set(parts, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(parts, CURLUPART_URL, location, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_URL, &url, 0) == CURLUE_OK)
		copy = strdup(url);
	curl_free(url);
	curl_url_cleanup(parts);
	return copy;
}
