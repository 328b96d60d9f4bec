/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/hints.h"

#include "runner/plan/prompt.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static void lists_of_variables_are_seen(void)
{
	is_str(hints_second_variable("A=1,B=2"), "B=2", "two variables");
	is_str(hints_second_variable("A=1,2,B_2=3"), "B_2=3", "the second behind another comma");
	ok(!hints_second_variable("A=1"), "one");
	ok(!hints_second_variable("A=a,b,c"), "a list of values");
	ok(!hints_second_variable("A=granularity=fine,compact,x=1"), "small letters");
	ok(!hints_second_variable("A=1,=2") && !hints_second_variable("A=1,2B=3"), "no names");
	ok(!hints_second_variable("A,B=2") && !hints_second_variable("A"), "no value");
	ok(!hints_second_variable("A=,") && !hints_second_variable("A=1,B"), "ends");
}

static void lists_of_binds_are_seen(void)
{
	ok(request_bind_is_list("/a,/b"), "two paths");
	ok(request_bind_is_list("/a:/x:ro,/b"), "behind an option");
	ok(!request_bind_is_list("/a,b:/x"), "a comma in a name");
	ok(!request_bind_is_list("/a\\,/b"), "an escaped one");
	ok(request_bind_is_list("/a\\\\,/b"), "an escaped backslash before one");
	ok(!request_bind_is_list("/a:/b:ro,optional") && !request_bind_is_list("") &&
		   !request_bind_is_list("/a,") && !request_bind_is_list("\\"),
	   "what is none");
}

static const char *name_of(const char *path)
{
	static char name[PROMPT_NAME_SIZE];

	prompt_name(path, name);
	return name;
}

static void prompts_show_the_image(void)
{
	auto_free char *plain = prompt_make("/i/debian_12.sqfs", NULL, false);
	auto_free char *root = prompt_make("/i/debian_12.sqfs", "", true);
	auto_free char *old = prompt_make("a.sif", "\\w> ", true);

	is_str(plain, "[firn debian_12] $ ", "a user's");
	is_str(root, "[firn debian_12] # ", "root's");
	is_str(old, "[firn a] \\w> ", "before another");
	is_str(name_of("/images/root.dir/"), "firn root", "a directory");
	is_str(name_of("/images/debian.12"), "firn debian.12", "a version is no end");
	is_str(name_of(".sqfs"), "firn .sqfs", "nothing but an end");
	is_str(name_of("/"), "firn", "the root");
	is_str(name_of("/x/a$(b)`c`\\d\ne!.sqfs"), "firn a__b__c__d_e_", "nothing to expand");
	ok(strlen(name_of(
		   "/x/"
		   "0123456789012345678901234567890123456789012345678901234567890123456789")) <
		   PROMPT_NAME_SIZE,
	   "a long name is cut");
}

int main(void)
{
	lists_of_variables_are_seen();
	lists_of_binds_are_seen();
	prompts_show_the_image();
	return done_testing();
}
