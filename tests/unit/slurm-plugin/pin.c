/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/pin.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

#define OPTIONS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct err err;

static struct pin make(const char *word, const char *image, const char *identity)
{
	struct pin pin = {.word = (char *)(unsigned long)word,
			  .image = (char *)(unsigned long)image,
			  .identity = (char *)(unsigned long)identity,
			  .options = OPTIONS};

	return pin;
}

static void a_pin_is_read_as_it_was_written(void)
{
	struct pin pin = make("a b=c", "/x/a b=c", "file:1:2");
	struct pin bare = make("a", "/a", NULL);
	auto_free char *text = NULL;
	auto_free char *other = NULL;
	auto_pin back = {0}, back_bare = {0};

	ok(pin_print(&pin, &text, &err) == 0 && pin_parse(text, strlen(text), &back, &err) == 0,
	   "there and back");
	is_str(back.word, "a b=c", "the word");
	is_str(back.image, "/x/a b=c", "the image");
	is_str(back.identity, "file:1:2", "its identity");
	is_str(back.options, OPTIONS, "the options");
	ok(pin_print(&bare, &other, &err) == 0 &&
		   pin_parse(other, strlen(other), &back_bare, &err) == 0 && !back_bare.identity,
	   "no identity is none");
	ok(!pin_is_sealed(text) && pin_is_sealed("MUNGE:AwQ"), "a seal is seen");
}

static void a_pin_has_data_images(void)
{
	char one[] = "file:1:2 /d/a b=c", two[] = "file:3:4 rel";
	char *data[] = {one, two, NULL};
	struct pin pin = make("a", "/a", "file:1:2");
	auto_free char *text = NULL;
	auto_free char *other = NULL;
	auto_pin back = {0};

	pin.data = data;
	ok(pin_print(&pin, &text, &err) == 0 && pin_parse(text, strlen(text), &back, &err) == 0,
	   "there and back");
	ok(back.data && strcmp(back.data[0], one) == 0 && strcmp(back.data[1], two) == 0 &&
		   !back.data[2],
	   "in their order");
	two[0] = '\n';
	ok(pin_print(&pin, &other, &err) == -1, "a newline in a name");
}

static void what_is_no_pin_is_refused(void)
{
	static const char *const texts[] = {
		"", "firn-pin 1", "firn-pin 2\nword=a\nimage=/a\nidentity=\noptions=" OPTIONS,
		"firn-pin 1\nword=a\nimage=a\nidentity=\noptions=" OPTIONS,
		"firn-pin 1\nword=a\nimage=/a\nidentity=\noptions=0123",
		"firn-pin 1\nword=a\nidentity=\noptions=" OPTIONS,
		"firn-pin 1\nimage=/a\nword=a\nidentity=\noptions=" OPTIONS,
		"firn-pin 1\nword=a\nimage=/a\nidentity=\noptions=" OPTIONS "\nmore=1",
	};
	static const char cut[] = "firn-pin 1\nword=a\0b\nimage=/a\nidentity=\noptions=" OPTIONS;
	struct pin lines = make("a\nimage=/b", "/a", NULL);
	auto_free char *text = NULL;
	auto_pin pin = {0};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		ok(pin_parse(texts[i], strlen(texts[i]), &pin, &err) == -1, "text %zu", i);
	ok(pin_parse(cut, sizeof(cut) - 1, &pin, &err) == -1, "a NUL in it");
	ok(pin_print(&lines, &text, &err) == -1, "a newline in a name");
}

int main(void)
{
	a_pin_is_read_as_it_was_written();
	a_pin_has_data_images();
	what_is_no_pin_is_refused();
	return done_testing();
}
