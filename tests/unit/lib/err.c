/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/err.h"

#include "tests/unit/tap.h"

#include <errno.h>

static void a_system_error_keeps_its_number(void)
{
	struct err err;

	errno = ENOENT;
	ok(err_sys(&err, "cannot open '%s'", "a") == -1, "err_sys returns -1");
	is_str(err.text, "cannot open 'a': No such file or directory", "the cause is in words");
	ok(err.code == ENOENT, "and as errno");
}

static void a_hostile_name_stays_one_line(void)
{
	struct err err;

	err_set(&err, "no '%s'", "a\nb\033[31m\177");
	is_str(err.text, "no 'a?b?[31m?'", "control characters are replaced");
}

static void a_long_name_is_cut(void)
{
	char name[4000];
	struct err err;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	err_code(&err, EACCES, "cannot open '%s'", name);
	ok(strlen(err.text) < sizeof(err.text), "the text ends inside the buffer");
}

static void an_aim_stands_before_the_cause(void)
{
	struct err err;

	err_code(&err, EIO, "bad block");
	err_aim(&err, "cannot read '%s'", "f");
	is_str(err.text, "cannot read 'f': bad block: Input/output error", "aim, cause");
	ok(err.code == EIO, "the code stays");
}

static void an_answer_has_a_code_and_no_system_call(void)
{
	struct err err;

	ok(err_answer(&err, ENOENT, "no '%s' there", "f") == -1 && err.code == ENOENT,
	   "an answer has its code");
	is_str(err.text, "no 'f' there", "and its own words alone");
}

int main(void)
{
	a_system_error_keeps_its_number();
	a_hostile_name_stays_one_line();
	a_long_name_is_cut();
	an_aim_stands_before_the_cause();
	an_answer_has_a_code_and_no_system_call();
	return done_testing();
}
