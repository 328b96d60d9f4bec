/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/expand.h"

#include "lib/own.h"

#include <stdint.h>

enum { UID_TEXT_SIZE = 16 };

/* Bytes of the word behind a '$'. */
static size_t word_len(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncmp(text, word, len) == 0;
}

const char *expand_unknown(const char *text, int *len)
{
	if (*text == '~' && text[1] && text[1] != '/' && text[1] != ':') {
		*len = (int)strcspn(text, "/:");
		return text;
	}
	for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
		size_t size = word_len(at + 1);

		*len = 1 + (int)(size > 0 ? size : strcspn(at + 1, "/:"));
		if (!is_word(at + 1, size, "USER") && !is_word(at + 1, size, "HOME") &&
		    !is_word(at + 1, size, "UID"))
			return at;
	}
	return NULL;
}

static int look_up(const char *word, size_t len, const char *text, char uid[UID_TEXT_SIZE],
		   const char **value, struct err *err)
{
	bool is_user = is_word(word, len, "USER");

	if (is_word(word, len, "UID")) {
		(void)snprintf(uid, UID_TEXT_SIZE, "%u", (unsigned)geteuid());
		*value = uid;
		return 0;
	}
	*value = getenv(is_user ? "USER" : "HOME");
	if (!*value || !**value)
		return err_set(err, "'%s': %s is not set", text, is_user ? "USER" : "HOME");
	if (is_user &&
	    (strchr(*value, '/') || strcmp(*value, ".") == 0 || strcmp(*value, "..") == 0))
		return err_set(err, "'%s': USER is '%s', which is no name", text, *value);
	if (!is_user && **value != '/')
		return err_set(err, "'%s': HOME is '%s', which is no absolute path", text, *value);
	return 0;
}

int expand_path(const char *text, char **out, struct err *err)
{
	auto_free char *made = NULL;
	size_t size;
	auto_file *file = open_memstream(&made, &size);
	char uid[UID_TEXT_SIZE];
	const char *value, *at = text;

	if (!file)
		return err_sys(err, "cannot read '%s'", text);
	if (*at == '~') {
		if (look_up("HOME", 4, text, uid, &value, err) < 0)
			return -1;
		(void)fputs(value, file);
		at++;
	}
	for (; *at; at++) {
		size_t len = word_len(at + 1);

		if (*at != '$') {
			(void)fputc(*at, file);
			continue;
		}
		if (look_up(at + 1, len, text, uid, &value, err) < 0)
			return -1;
		(void)fputs(value, file);
		at += len;
	}
	if (fflush(file) != 0 || !made)
		return err_sys(err, "cannot read '%s'", text);
	*out = strdup(made);
	return *out ? 0 : err_sys(err, "cannot read '%s'", text);
}
