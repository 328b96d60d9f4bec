/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/words.h"

#include <stdarg.h>
#include <string.h>

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

int words_add_part(struct words *words, const char *text, size_t len)
{
	return words_take(words, strndup(text, len));
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
