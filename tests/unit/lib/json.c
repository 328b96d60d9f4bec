/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <time.h>

static struct err err;

static struct json *parse(const char *text)
{
	struct json *json = NULL;

	return json_parse(text, strlen(text), &json, &err) < 0 ? NULL : json;
}

static bool refused(const char *text)
{
	auto_json *json = parse(text);

	return !json;
}

static void a_document_becomes_a_tree(void)
{
	auto_json *json =
		parse(" {\"a\": [1, -2.5e+3, true, false, null], \"b\": {\"c\": \"d\"}} \n");
	const struct json *list = json_get(json, "a");

	ok(json && json->type == JSON_OBJECT, "an object");
	ok(list && list->type == JSON_ARRAY, "an array");
	ok(list && list->child->type == JSON_NUMBER, "a number");
	is_str(list ? list->child->next->text : NULL, "-2.5e+3", "numbers stay as written");
	is_str(json_text(json_get(json_get(json, "b"), "c")), "d", "a string below");
	ok(!json_get(json, "c") && !json_get(list, "a") && !json_get(NULL, "a"), "absent is NULL");
	ok(!json_text(list) && !json_text(NULL), "what is no string is NULL");
}

static void escapes_are_undone(void)
{
	auto_json *json = parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00e4 \\u20ac \\ud83d\\ude00\"");

	is_str(json_text(json), "\"\\/\b\f\n\r\t \303\244 \342\202\254 \360\237\230\200",
	       "every escape there is");
}

static void what_is_no_json_is_refused(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[",
		"[1",
		"[1,]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"\"a\nb\"",
		"01",
		"-",
		"1.",
		".5",
		"1e",
		"1e+",
		"+1",
		"nul",
		"truex",
		"NaN",
		"'a'",
		"1 2",
		"[1 2]",
		"[1}",
		"// c",
		"\"\200\"",
		"\"\300\200\"",
		"\"\355\240\200\"",
		"\"\364\220\200\200\"",
		"\"\303\"",
	};
	size_t wrong = 0;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (refused(bad[i]))
			continue;
		wrong++;
		printf("#   taken: %s\n", bad[i]);
	}
	ok(wrong == 0, "%zu kinds of mistakes", COUNT_OF(bad));
	ok(refused("{\"a\":1,\"b\":2,\"a\":3}") && strstr(err.text, "twice"), "a key given twice");
	ok(refused("{\"a\":1,\"\\u0061\":3}"), "also when it is spelt another way");
	ok(json_parse("\"a\0b\"", 5, &(struct json *){NULL}, &err) < 0, "NUL in a string");
}

static void depth_is_limited(void)
{
	char text[80];

	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	text[64] = '\0';
	ok(!refused(text), "32 deep is fine");
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	text[66] = '\0';
	ok(refused(text) && strstr(err.text, "nested"), "33 deep is not");
}

static void many_keys_take_no_time(void)
{
	enum { COUNT = 200000, ROOM = COUNT * 14 };
	auto_free char *text = malloc(ROOM);
	clock_t start = clock();
	size_t used = 0;

	if (!text)
		return;
	for (int i = 0; i < COUNT; i++)
		used += (size_t)snprintf(text + used, ROOM - used, "%c\"%d\":0", i ? ',' : '{', i);
	text[used++] = '}';
	text[used] = '\0';
	ok(!refused(text), "200 000 keys");
	ok((double)(clock() - start) / CLOCKS_PER_SEC < 5, "in less than 5 s of processor time");
}

int main(void)
{
	a_document_becomes_a_tree();
	escapes_are_undone();
	what_is_no_json_is_refused();
	depth_is_limited();
	many_keys_take_no_time();
	return done_testing();
}
