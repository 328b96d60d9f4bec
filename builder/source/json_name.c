/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/json_name.h"

#include "lib/own.h"

enum { UTF8_MAX = 4 };

/* How long the character at @at is, or 0 when it is none; jansson knows what is UTF-8. */
static size_t character(const char *at)
{
	size_t left = strnlen(at, UTF8_MAX);

	for (size_t len = 1; len <= left; len++) {
		json_auto_t *one = json_stringn(at, len);

		if (one)
			return len;
	}
	return 0;
}

json_t *json_name(const char *name)
{
	json_t *whole = name ? json_string(name) : json_null();
	auto_free char *text = whole ? NULL : malloc(4 * strlen(name) + 1);
	char *to = text;

	if (whole || !text)
		return whole;
	for (size_t len; *name; name += len ? len : 1) {
		len = character(name);
		if (len > 0)
			to = (char *)memcpy(to, name, len) + len;
		else
			to += snprintf(to, sizeof("\\xff"), "\\x%02x", (unsigned char)*name);
	}
	*to = 0;
	return json_string(text);
}
