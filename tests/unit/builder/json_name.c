/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/json_name.h"

#include "tests/unit/tap.h"

static void named(const char *name, const char *wanted, const char *promise)
{
	json_auto_t *json = json_name(name);

	is_str(json_string_value(json), wanted, promise);
}

int main(void)
{
	json_auto_t *none = json_name(NULL);

	named("", "", "an empty name");
	named("a b.sqfs", "a b.sqfs", "a plain one");
	named("\303\244\360\237\232\200\\", "\303\244\360\237\232\200\\",
	      "UTF-8 and a backslash stay");
	named("a\377b", "a\\xffb", "a byte that is none");
	named("\377", "\\xff", "alone");
	named("a\303", "a\\xc3", "a character that is cut off");
	named("\303\244\344\303\266", "\303\244\\xe4\303\266", "Latin 1 among UTF-8");
	named("\300\200", "\\xc0\\x80", "an overlong NUL");
	named("\355\240\200", "\\xed\\xa0\\x80", "a surrogate");
	ok(json_is_null(none), "no name");
	return done_testing();
}
