/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/words.h"
#include "runner/dialect/private.h"

#include <string.h>

/* What a list's item may be, behind a bind that has a mode already (its user guide, "Bind Paths
 * and Mounts"). */
static const char *const bind_words[] = {"ro", "rw", "optional"};
static const char *const bind_keys[] = {"image-src=", "id="};

int dialect_each_item(const char *list, dialect_part *take, void *arg, struct err *err)
{
	for (const char *at = list; *at;) {
		auto_free char *item = words_take_item(&at);

		if (!item)
			return err_sys(err, "cannot take '%s'", list);
		if (*item && take(arg, item, err) < 0)
			return -1;
	}
	return 0;
}

/* The end of what begins at @from: a comma that no backslash stands before, or the end. */
static const char *piece_end(const char *from)
{
	for (; *from && *from != ','; from++)
		if (from[0] == '\\' && from[1])
			from++;
	return from;
}

static bool is_bind_option(const char *from, const char *end)
{
	size_t len = (size_t)(end - from);

	for (size_t i = 0; i < COUNT_OF(bind_words); i++)
		if (strlen(bind_words[i]) == len && strncmp(from, bind_words[i], len) == 0)
			return true;
	for (size_t i = 0; i < COUNT_OF(bind_keys); i++)
		if (strncmp(from, bind_keys[i], strlen(bind_keys[i])) == 0)
			return true;
	return false;
}

/* Whether it has a source, a target and something behind. */
static bool has_mode(const char *from, const char *end)
{
	unsigned colons = 0;

	for (; from < end; from++) {
		if (from[0] == '\\' && from[1])
			from++;
		else if (*from == ':')
			colons++;
	}
	return colons >= 2;
}

int dialect_each_bind(const char *list, dialect_part *take, void *arg, struct err *err)
{
	const char *from = list;

	while (*from) {
		const char *end = piece_end(from);
		auto_free char *bind = NULL;

		while (*end && has_mode(from, end) && is_bind_option(end + 1, piece_end(end + 1)))
			end = piece_end(end + 1);
		bind = strndup(from, (size_t)(end - from));
		if (!bind)
			return err_sys(err, "cannot take '%s'", list);
		if (*bind && take(arg, bind, err) < 0)
			return -1;
		from = *end ? end + 1 : end;
	}
	return 0;
}

int dialect_each_variable(const char *list, dialect_part *take, void *arg, struct err *err)
{
	const char *first = strchr(list, '=');
	size_t len = strlen(list);
	auto_free char *bare = NULL;

	if (!first)
		return err_set(err, "'%s' is not of the form NAME=VALUE", list);
	if (strchr(first + 1, '='))
		return dialect_each_item(list, take, arg, err);
	/* Alone it may stand in quotes, and its commas are its own. */
	if (len >= 2 && list[0] == '"' && list[len - 1] == '"')
		bare = strndup(list + 1, len - 2);
	else
		bare = strdup(list);
	return bare ? take(arg, bare, err) : err_sys(err, "cannot take '%s'", list);
}
