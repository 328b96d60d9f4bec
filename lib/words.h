/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * words.h - a list of words: environments, arguments, lists of a message.
 *
 * As execve(2) and environ have them: strings of their own behind each other, then NULL. While
 * such a list grows it is a struct words, which doubles its room, so that a hundred thousand words
 * take a few allocations; once it is whole it is handed on as a plain char **, whose end is
 * NULL. A list that nothing was added to is NULL. Where each name may be there once, a struct
 * names says where it is, so that tens of thousands take no longer each than the first.
 */
#ifndef FIRN_LIB_WORDS_H
#define FIRN_LIB_WORDS_H

#include "lib/own.h"

#include <stddef.h>

struct words {
	char **item;	    /* owned, each string too; NULL-terminated, or NULL when it is empty */
	size_t count, room; /* of items, without and with what is free behind them */
};

/*
 * Add a copy of @text, or what @format says.
 * Return 0, or -1 with errno when there is no memory: then @words is as it was.
 */
int words_add(struct words *words, const char *text);
int words_print(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Add @text itself, which is owned by @words from then on, and freed if it cannot be added or is
 * NULL. Returns as words_add(). */
int words_take(struct words *words, char *text);

/*
 * Take one item off the list at @at, whose items have commas in between: a new string, or NULL
 * without memory. In double quotes a comma is one, and two quotes are one quote (RFC 4180, 2). @at
 * moves behind the comma, or to the end.
 */
char *words_take_item(const char **at);

/* Free all words, and leave an empty list. auto_words does it at the end of the block. */
void words_clear(struct words *words);
#define auto_words CLEANUP(words_clear) struct words

/* How many words a list has; 0 for NULL. */
size_t words_count(char *const *list);

/* A new list of new strings: all of @first, then all of @second (NULL: none). Never NULL for an
 * empty one, as it is an answer, too; NULL is for no memory. Owned by the caller: words_free(). */
char **words_join(char *const *first, char *const *second);

/* Free a list and its words; NULL is fine. */
void words_free(char **list);

/* Where the thing of a name is in a list of the caller's. */
struct name_place {
	const char *name; /* borrowed, @len bytes of it; NULL: this place of the table is free */
	size_t len, at;
};

/* A table of names, by their hashes. All zero is an empty one. */
struct names {
	struct name_place *place;
	size_t count, room;
};

/* The place of @name (@len bytes), good until the next names_add(); NULL when it is not there. */
struct name_place *names_find(const struct names *names, const char *name, size_t len);

/*
 * Note that @name, which is not there yet, is number @at. The string must stay as long as the
 * table, or be replaced in its place. Returns 0, or -1 with errno when there is no memory.
 */
int names_add(struct names *names, const char *name, size_t len, size_t at);

/* Free the table, and leave an empty one. */
void names_clear(struct names *names);
#define auto_names CLEANUP(names_clear) struct names

/* A growing environment: NAME=VALUE, each name once. */
struct pairs {
	struct words words;
	struct names names; /* of @words' items */
};

/*
 * Put a copy of NAME=VALUE in the place of the NAME that is there, or at the end. Returns 0, or
 * -1 with errno when there is no memory. pairs_set_value() takes the two apart.
 */
int pairs_set(struct pairs *pairs, const char *text);
int pairs_set_value(struct pairs *pairs, const char *name, const char *value);

/* The value of @name, owned by @pairs and good until it is set; NULL if it is not there. */
const char *pairs_get(const struct pairs *pairs, const char *name);

/* Put @first before the value of @name and @last behind it, with colons between; what is NULL or
 * empty is left out. Returns as pairs_set(). */
int pairs_surround(struct pairs *pairs, const char *name, const char *first, const char *last);

/* Free all of it, and leave none. auto_pairs does it at the end of the block. */
void pairs_clear(struct pairs *pairs);
#define auto_pairs CLEANUP(pairs_clear) struct pairs

#endif
