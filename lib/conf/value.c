/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What stands behind the '=': words into the fields of a conf. */
#include "lib/conf/private.h"

#include "lib/conf/deniable.h"
#include "lib/conf/expand.h"
#include "lib/host.h"
#include "lib/size.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { THREADS_MAX = 8 }; /* of one mount server */

static int list_add(struct conf_list *list, const char *item, size_t len)
{
	auto_free char *copy = strndup(item, len);
	char **grown = copy ? reallocarray(list->item, list->count + 2, sizeof(*grown)) : NULL;

	if (!grown)
		return -1;
	list->item = grown;
	list->item[list->count++] = take_ptr(&copy);
	list->item[list->count] = NULL;
	return 0;
}

/* The items of a list stand apart by what is in @apart. */
static int take_list(struct conf_list *list, const char *text, const char *apart)
{
	while (*text) {
		size_t len = strcspn(text, apart);

		if (len > 0 && list_add(list, text, len) < 0)
			return -1;
		text += len + strspn(text + len, apart);
	}
	return 0;
}

/* Whether @text names variables: a '*' is at its beginning or its end alone, and cut off there. */
static bool is_pattern(const char *text)
{
	const char *star = strchr(text, '*');

	if (strpbrk(text, "=$\"'`;:\\/"))
		return false;
	return !star || !star[1] || (star == text && !strchr(text + 1, '*'));
}

/* As those of take_deny(), apart by blanks or commas: one of two that none can be is a mistake. */
static int take_names(struct conf_list *list, const char *text, const char **wrong)
{
	static char unknown[160];
	size_t first = list->count;

	if (take_list(list, text, " \t,") < 0)
		return -1;
	for (size_t i = first; i < list->count; i++) {
		if (is_pattern(list->item[i]))
			continue;
		(void)snprintf(unknown, sizeof(unknown),
			       "'%.80s' is no variable's name, with a '*' at its beginning or end",
			       list->item[i]);
		*wrong = unknown;
		return -1;
	}
	return list->count > first ? 0 : -1;
}

/* Whether @text will be an absolute path; or what in it is not known, in @wrong. */
static bool is_place(const char *text, const char **wrong)
{
	static char unknown[160];
	int len;
	const char *word = expand_unknown(text, &len);

	if (word) {
		(void)snprintf(unknown, sizeof(unknown),
			       "'%.*s' is not known here, only $USER, $HOME, $UID and ~ at the "
			       "beginning are",
			       len < 60 ? len : 60, word);
		*wrong = unknown;
		return false;
	}
	return *text == '/' || *text == '~' || strncmp(text, "$HOME", strlen("$HOME")) == 0;
}

/* What is behind the next colon that has no backslash before it; NULL: there is none. */
static const char *next_field(const char *at)
{
	for (; *at; at++) {
		if (at[0] == '\\' && at[1])
			at++;
		else if (*at == ':')
			return at + 1;
	}
	return NULL;
}

/* Whether @mode is of ro or rw, not both, and optional. */
static bool is_mode(const char *mode)
{
	static const char *const words[] = {"ro", "rw", "optional"};
	unsigned seen = 0;

	for (;; mode++) {
		size_t len = strcspn(mode, ","), i = 0;

		while (i < COUNT_OF(words) &&
		       (strlen(words[i]) != len || strncmp(mode, words[i], len) != 0))
			i++;
		seen |= 1U << i;
		mode += len;
		if (i == COUNT_OF(words) || (seen & 3) == 3)
			return false;
		if (!*mode)
			return true;
	}
}

/* Whether something can be mounted at the @len bytes of @path: not on "/", nor by way of "..". */
static bool is_target(const char *path, size_t len)
{
	bool named = *path != '/';

	for (size_t i = 0; i < len; i++) {
		size_t part = strcspn(path + i, "/");

		part = part < len - i ? part : len - i;
		if (part == 2 && strncmp(path + i, "..", 2) == 0)
			return false;
		named = named || (part > 0 && !(part == 1 && path[i] == '.'));
		i += part;
	}
	return named;
}

/* One bind is one item, blanks and all. */
static int take_bind(struct conf_list *list, const char *text, const char **wrong)
{
	const char *target = next_field(text);
	const char *mode = target ? next_field(target) : NULL;
	const char *place = target ? target : text;
	size_t len = target && mode ? (size_t)(mode - 1 - target) : strlen(place);

	if (!is_place(text, wrong) || !is_place(place, wrong) || (mode && !is_mode(mode)))
		return -1;
	if (!is_target(place, len)) {
		*wrong = "nothing can be mounted on '/', or by way of '..'";
		return -1;
	}
	return list_add(list, text, strlen(text));
}

/* Words as "root" or "--root"; an unknown one would deny nothing, and nobody would know. */
static int take_deny(struct conf_list *list, const char *text, const char **wrong)
{
	static char unknown[128];
	size_t first = list->count;

	if (take_list(list, text, " \t,") < 0)
		return -1;
	for (size_t i = first; i < list->count; i++) {
		char *word = list->item[i];

		if (strncmp(word, "--", 2) == 0)
			memmove(word, word + 2, strlen(word) - 1);
		if (deniable(word))
			continue;
		(void)snprintf(unknown, sizeof(unknown),
			       "there is no option '--%.80s' that can be denied", word);
		*wrong = unknown;
		return -1;
	}
	return list->count > first ? 0 : -1;
}

static int take_flag(bool *field, const char *text)
{
	*field = strcmp(text, "yes") == 0;
	return *field || strcmp(text, "no") == 0 ? 0 : -1;
}

bool conf_pin_parse(const char *text, enum conf_pin *out)
{
	static const char *const names[] = {
		[PIN_OFF] = "off", [PIN_TRY] = "try", [PIN_REQUIRE] = "require"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum conf_pin)i;
			return true;
		}
	return false;
}

static int take_text(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
	return *field && *text ? 0 : -1;
}

static int take_engine(enum conf_engine *field, const char *text)
{
	*field = strcmp(text, "squashfuse") == 0 ? ENGINE_SQUASHFUSE : ENGINE_FIRN;
	return strcmp(text, "firn") == 0 || *field == ENGINE_SQUASHFUSE ? 0 : -1;
}

static int take_mpi(enum conf_mpi *field, const char *text)
{
	*field = strcmp(text, "none") == 0 ? MPI_NONE : MPI_HYBRID;
	return strcmp(text, "hybrid") == 0 || *field == MPI_NONE ? 0 : -1;
}

static int take_size(size_t *field, const char *text, uint64_t least, uint64_t most)
{
	uint64_t number;

	if (size_parse(text, &number) < 0 || number < least || number > most)
		return -1;
	*field = (size_t)number;
	return 0;
}

static int take_count(int *field, const char *text, uint64_t most)
{
	uint64_t number;

	if (number_parse(text, most, &number) < 0)
		return -1;
	*field = (int)number;
	return 0;
}

int conf_take_value(void *holder, const struct key *key, const char *text, const char **wrong)
{
	/* What each may be, for messages. */
	static const char *const allowed[] = {
		[VALUE_NAMES] = "it is a list of variables' names",
		[VALUE_BIND] = "it is an absolute path, SRC[:DST[:ro|rw|optional]], without quotes",
		[VALUE_DENY] = "it is a list of options",
		[VALUE_TEXT] = "it needs a value",
		[VALUE_PATH] = "it is an absolute path, without variables",
		[VALUE_PLACE] = "it is an absolute path",
		[VALUE_HOST] = "it is HOST[:PORT], without https:// and without a path",
		[VALUE_URL] = "it is a URL: https://HOST[:PORT][/PATH], or http://",
		[VALUE_PLACES] = "it is an absolute path, one on each line",
		[VALUE_ENGINE] = "it is firn or squashfuse",
		[VALUE_MPI] = "it is hybrid or none",
		[VALUE_SIZE] = "it is a size from 1M to 16G, as 64M",
		[VALUE_LIMIT] = "it is a number from 1 to 1048576T that K, M, G or T may follow",
		[VALUE_NUMBER] = "it is a number of seconds from 0 to 86400",
		[VALUE_THREADS] = "it is a number from 0 to 8",
		[VALUE_FLAG] = "it is yes or no",
		[VALUE_PIN] = "it is off, try or require",
		[VALUE_CAGE] = "it is try or require",
	};
	void *field = (char *)holder + key->field;

	*wrong = allowed[key->value];
	switch (key->value) {
	case VALUE_NAMES:
		return take_names(field, text, wrong);
	case VALUE_BIND:
		return take_bind(field, text, wrong);
	case VALUE_DENY:
		return take_deny(field, text, wrong);
	case VALUE_TEXT:
		return take_text(field, text);
	case VALUE_PATH:
		return *text == '/' && !strchr(text, '$') ? take_text(field, text) : -1;
	case VALUE_PLACE:
		return is_place(text, wrong) ? take_text(field, text) : -1;
	case VALUE_HOST:
		return host_is_valid(text) ? take_text(field, text) : -1;
	case VALUE_URL:
		return host_url_path(text) ? take_text(field, text) : -1;
	case VALUE_PLACES:
		return is_place(text, wrong) ? list_add(field, text, strlen(text)) : -1;
	case VALUE_ENGINE:
		return take_engine(field, text);
	case VALUE_MPI:
		return take_mpi(field, text);
	case VALUE_SIZE:
		return take_size(field, text, MEBIBYTE, UINT64_C(16384) * MEBIBYTE);
	case VALUE_LIMIT:
		return take_size(field, text, 1, UINT64_C(1) << 60);
	case VALUE_NUMBER:
		return take_count(field, text, 86400);
	case VALUE_THREADS:
		return take_count(field, text, THREADS_MAX);
	case VALUE_FLAG:
		return take_flag(field, text);
	case VALUE_PIN:
		return conf_pin_parse(text, field) ? 0 : -1;
	case VALUE_CAGE:
		/* What the site requires a user cannot take back. */
		*(bool *)field |= strcmp(text, "require") == 0;
		return strcmp(text, "require") == 0 || strcmp(text, "try") == 0 ? 0 : -1;
	}
	return -1;
}
