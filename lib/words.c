/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

enum { FIRST_ROOM = 64 }; /* most environments grow once or not at all */

/* Room for one more and the NULL behind it. */
static int make_room(struct words *words)
{
	size_t room = words->room ? 2 * words->room : FIRST_ROOM;
	char **grown;

	if (words->count + 2 <= words->room)
		return 0;
	grown = reallocarray(words->item, room, sizeof(*grown));
	if (!grown)
		return -1;
	words->item = grown;
	words->room = room;
	return 0;
}

int words_take(struct words *words, char *text)
{
	if (!text || make_room(words) < 0) {
		free(text);
		return -1;
	}
	words->item[words->count++] = text;
	words->item[words->count] = NULL;
	return 0;
}

int words_add(struct words *words, const char *text)
{
	return words_take(words, strdup(text));
}

int words_print(struct words *words, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return words_take(words, len < 0 ? NULL : text);
}

char *words_take_item(const char **at)
{
	const char *from = *at;
	char *item = malloc(strlen(from) + 1);
	size_t len = 0;
	bool quoted = false;

	if (!item)
		return NULL;
	for (; *from && (quoted || *from != ','); from++) {
		if (*from != '"')
			item[len++] = *from;
		else if (quoted && from[1] == '"')
			item[len++] = *from++;
		else
			quoted = !quoted;
	}
	item[len] = '\0';
	*at = from + (*from == ',');
	return item;
}

void words_clear(struct words *words)
{
	words_free(words->item);
	*words = (struct words){0};
}

size_t words_count(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

char **words_join(char *const *first, char *const *second)
{
	size_t head = words_count(first), all = head + words_count(second);
	char **joined = calloc(all + 1, sizeof(*joined));

	for (size_t i = 0; joined && i < all; i++) {
		joined[i] = strdup(i < head ? first[i] : second[i - head]);
		if (!joined[i]) { /* the rest would be lost without a word */
			words_free(joined);
			return NULL;
		}
	}
	return joined;
}

void words_free(char **list)
{
	for (char **word = list; word && *word; word++)
		free(*word);
	free(list);
}

/*
 * FNV-1a, from a start that differs in each process: an image may not choose names that all
 * fall on one place.
 */
static size_t hash(const char *name, size_t len)
{
	const unsigned char *seed = (const unsigned char *)getauxval(AT_RANDOM);
	uint64_t sum = 14695981039346656037U;

	for (size_t i = 0; seed && i < 8; i++)
		sum = (sum ^ seed[i]) * 1099511628211U;
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)name[i]) * 1099511628211U;
	return (size_t)(sum ^ sum >> 32);
}

/* Where @name is, or the free place where it would be; there is one. @names->room is a power of
 * two. */
static struct name_place *look_up(const struct names *names, const char *name, size_t len)
{
	size_t mask = names->room - 1;

	for (size_t i = hash(name, len) & mask;; i = (i + 1) & mask) {
		struct name_place *place = &names->place[i];

		if (!place->name || (place->len == len && memcmp(place->name, name, len) == 0))
			return place;
	}
}

struct name_place *names_find(const struct names *names, const char *name, size_t len)
{
	struct name_place *place = names->count ? look_up(names, name, len) : NULL;

	return place && place->name ? place : NULL;
}

/* So that half of the table stays free. */
static int grow_names(struct names *names)
{
	struct names grown = {.room = names->room ? 2 * names->room : (size_t)2 * FIRST_ROOM};

	if (2 * (names->count + 1) <= names->room)
		return 0;
	grown.place = calloc(grown.room, sizeof(*grown.place));
	if (!grown.place)
		return -1;
	grown.count = names->count;
	for (size_t i = 0; i < names->room; i++)
		if (names->place[i].name)
			*look_up(&grown, names->place[i].name, names->place[i].len) =
				names->place[i];
	free(names->place);
	*names = grown;
	return 0;
}

int names_add(struct names *names, const char *name, size_t len, size_t at)
{
	if (grow_names(names) < 0)
		return -1;
	*look_up(names, name, len) = (struct name_place){name, len, at};
	names->count++;
	return 0;
}

void names_clear(struct names *names)
{
	free(names->place);
	*names = (struct names){0};
}

/* As words_take(). */
static int take_pair(struct pairs *pairs, char *text)
{
	size_t len = text ? strcspn(text, "=") : 0;
	struct name_place *place = text ? names_find(&pairs->names, text, len) : NULL;

	if (place) {
		free(pairs->words.item[place->at]);
		pairs->words.item[place->at] = text;
		place->name = text;
		return 0;
	}
	return words_take(&pairs->words, text) < 0
		       ? -1
		       : names_add(&pairs->names, text, len, pairs->words.count - 1);
}

int pairs_set(struct pairs *pairs, const char *text)
{
	return take_pair(pairs, strdup(text));
}

int pairs_set_value(struct pairs *pairs, const char *name, const char *value)
{
	char *text;

	return asprintf(&text, "%s=%s", name, value) < 0 ? -1 : take_pair(pairs, text);
}

const char *pairs_get(const struct pairs *pairs, const char *name)
{
	const struct name_place *place = names_find(&pairs->names, name, strlen(name));
	const char *text = place ? pairs->words.item[place->at] : NULL;

	return text && text[place->len] == '=' ? text + place->len + 1 : NULL;
}

int pairs_surround(struct pairs *pairs, const char *name, const char *first, const char *last)
{
	const char *part[] = {first, pairs_get(pairs, name), last};
	auto_free char *value = strdup("");

	for (size_t i = 0; value && i < COUNT_OF(part); i++) {
		char *longer = NULL;

		if (!part[i] || !*part[i])
			continue;
		if (asprintf(&longer, "%s%s%s", value, *value ? ":" : "", part[i]) < 0)
			return -1;
		free(value);
		value = longer;
	}
	return value ? pairs_set_value(pairs, name, value) : -1;
}

void pairs_clear(struct pairs *pairs)
{
	words_clear(&pairs->words);
	names_clear(&pairs->names);
}
