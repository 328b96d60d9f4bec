/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/words.h"

#include "tests/unit/tap.h"

static void a_list_ends_with_null(void)
{
	auto_words words = {0};

	ok(words.item == NULL && words_count(words.item) == 0, "a new list is NULL");
	ok(words_add(&words, "one") == 0 && words_print(&words, "%s=%d", "n", 3) == 0,
	   "words are added");
	is_str(words.item[0], "one", "... whole");
	is_str(words.item[1], "n=3", "... as printf() says");
	ok(words.item[2] == NULL && words.count == 2, "NULL stands behind the last");
}

static void words_are_copies_unless_they_are_taken(void)
{
	auto_words words = {0};
	char text[] = "before", *own = strdup("own");

	ok(words_add(&words, text) == 0 && words_take(&words, own) == 0, "both are added");
	text[0] = 'B';
	is_str(words.item[0], "before", "what was added is a copy");
	ok(words.item[1] == own, "what was taken is not");
	ok(words_take(&words, NULL) == -1 && words.count == 2, "no text is a failure, not the end");
}

static void an_empty_word_is_a_word(void)
{
	auto_words words = {0};

	ok(words_add(&words, "ab") == 0 && words_add(&words, "") == 0 && words.count == 2,
	   "an empty word is a word");
}

static void a_list_grows_as_far_as_wanted(void)
{
	auto_words words = {0};
	bool ends = true;

	for (int i = 0; i < 100000; i++)
		ends = words_print(&words, "%d", i) == 0 && !words.item[words.count] && ends;
	ok(ends, "the end is NULL after each of 100000 words");
	ok(words.count == 100000 && words_count(words.item) == 100000, "none is lost");
	is_str(words.item[64], "64", "not where the room grew");
	is_str(words.item[99999], "99999", "nor at the end");
	words_clear(&words);
	ok(!words.item && words.count == 0 && words_add(&words, "x") == 0, "it can be used anew");
}

static void lists_are_joined(void)
{
	char *first[] = {(char *)"a", (char *)"b", NULL}, *second[] = {(char *)"c", NULL};
	char **both = words_join(first, second), **none = words_join(NULL, NULL);

	ok(words_count(both) == 3 && both[0] != first[0], "a list of all, in copies");
	is_str(both[0], "a", "the first ones first");
	is_str(both[2], "c", "the second ones behind");
	ok(none && !none[0], "of nothing an empty list, not NULL");
	words_free(both);
	words_free(none);
	words_free(NULL);
}

static void an_environment_has_each_name_once(void)
{
	auto_pairs pairs = {0};

	ok(!pairs_get(&pairs, "A"), "nothing is in an empty one");
	ok(pairs_set(&pairs, "A=1") == 0 && pairs_set(&pairs, "AB=2") == 0 &&
		   pairs_set_value(&pairs, "A", "3") == 0,
	   "three are set");
	ok(pairs.words.count == 2, "the third in the place of the first");
	is_str(pairs.words.item[0], "A=3", "... whole");
	is_str(pairs_get(&pairs, "AB"), "2", "a longer name is another one");
	ok(!pairs_get(&pairs, "B") && !pairs_get(&pairs, ""), "an end of a name is none");
}

static void a_name_is_found_among_many(void)
{
	enum { MANY = 100000 };
	auto_pairs pairs = {0};
	char name[32];
	int set = 0, found = 0;

	for (int i = 0; i < 2 * MANY; i++) {
		(void)snprintf(name, sizeof(name), "NAME%d", i % MANY);
		set += pairs_set_value(&pairs, name, i < MANY ? "one" : "two") == 0;
	}
	for (int i = 0; i < MANY; i++) {
		const char *value;

		(void)snprintf(name, sizeof(name), "NAME%d", i);
		value = pairs_get(&pairs, name);
		found += value && strcmp(value, "two") == 0;
	}
	ok(set == 2 * MANY && pairs.words.count == MANY, "%d names are set twice", MANY);
	ok(found == MANY, "and each has its second value");
}

static void items_are_taken(void)
{
	static const char *const items[] = {"a", "", "b,c", "d\"e", "f"};
	const char *at = "a,,\"b,c\",\"d\"\"e\",f";

	for (size_t i = 0; i < COUNT_OF(items); i++) {
		auto_free char *item = words_take_item(&at);

		is_str(item, items[i], "an item");
	}
	ok(!*at, "to the end");
}

int main(void)
{
	items_are_taken();
	an_environment_has_each_name_once();
	a_name_is_found_among_many();

	a_list_ends_with_null();
	words_are_copies_unless_they_are_taken();
	an_empty_word_is_a_word();
	a_list_grows_as_far_as_wanted();
	lists_are_joined();
	return done_testing();
}
