/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/host.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= 5 && !text[len] && atoi(text) > 0 && atoi(text) < 65536;
}

bool host_is_valid(const char *text)
{
	size_t len = strcspn(text, ":");

	if (strlen(text) > HOST_LEN_MAX)
		return false;
	if (text[0] == '[') {
		len = strspn(text + 1, "0123456789abcdefABCDEF:.") + 1;
		if (len == 1 || text[len] != ']')
			return false;
		len++;
	} else {
		if (len == 0)
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)text[i]) && !(text[i] == '-' && i > 0) &&
			    !(text[i] == '.' && i > 0 && text[i - 1] != '.'))
				return false;
	}
	return !text[len] || (text[len] == ':' && is_port(text + len + 1));
}

bool host_is_loopback(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	if ((len == 9 && strncmp(host, "localhost", 9) == 0) ||
	    (len == 5 && strncmp(host, "[::1]", 5) == 0))
		return true;
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len;
}

const char *host_of_url(const char *url, size_t *len)
{
	const char *host = strstr(url, "://");

	host = host ? host + strlen("://") : url;
	*len = strcspn(host, "/");
	return host;
}

const char *host_url_path(const char *url)
{
	char name[HOST_LEN_MAX + 1];
	const char *host;
	size_t len;

	if (strncasecmp(url, "https://", strlen("https://")) != 0 &&
	    strncasecmp(url, "http://", strlen("http://")) != 0)
		return NULL;
	host = host_of_url(url, &len);
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, host, len);
	name[len] = '\0';
	return host_is_valid(name) && !strpbrk(host + len, "?# \t") ? host + len : NULL;
}
