/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/user.h"

#include "tests/unit/tap.h"

/* Texts are copied to their exact size: a byte too far is seen by the sanitizers. */
static bool picks(const char *group, const char *wanted)
{
	static const gid_t mine[] = {5, 100, 4294967294u};
	auto_free char *copy = strdup(group);
	auto_free char *lines = user_pick_groups(copy, mine, COUNT_OF(mine));

	if (lines && strcmp(lines, wanted) == 0)
		return true;
	printf("#   got '%s'\n", lines ? lines : "(null)");
	return false;
}

static void lines_of_group_may_be_anything(void)
{
	ok(picks("a:x:1:b\nu:x:100:c,d\nv:x:5:\n", "u:x:100:\nv:x:5:\n"),
	   "own groups, without members");
	ok(picks("u:x:100", "u:x:100:\n"), "a last line without its third colon and newline");
	ok(picks("u:x:100\nv:x:5\nw:x:5\nx:x:5", "u:x:100:\nv:x:5:\nw:x:5:\nx:x:5:\n"),
	   "many lines without it");
	ok(picks("::5", "::5:\n"), "a line without name and password");
	ok(picks("u:x:4294967294:", "u:x:4294967294:\n"), "the largest number");
	ok(picks("u:x:18446744073709551621:\nu:x:00000000005:\n", ""), "numbers that are too long");
	ok(picks("u:x:5z:\nu:x: 5:\nu:x:-5:\nu:x:+5:\nu:x::\n", ""), "what is no number");
	ok(picks("+:::\n-\n:\n::\n\n\n+@net", ""), "lines of other systems, and empty ones");
	ok(picks("", ""), "no text");
}

static void a_missing_group_file_gives_none(void)
{
	auto_free char *lines = user_pick_groups(NULL, NULL, 0);

	is_str(lines, "", "no lines");
}

static void lines_of_passwd_may_be_anything(void)
{
	static const char *const texts[] = {"u:x:7",	      "u:x:7:", "u:x:7:8::", "::7",
					    "\n\nu:x:7:8:n:", ":",	"u"};
	struct user user = {.uid = 7};

	user_take_entry(
		&user,
		"root:x:0:0::/root:/bin/sh\nu:x:7:8:Name:/home/u:/bin/zsh\nv:x:7:8::/v:/v\n");
	is_str(user.name, "u", "the name");
	is_str(user.home, "/home/u", "the home");
	is_str(user.shell, "/bin/zsh", "the shell, without its newline");
	free(user.name);
	free(user.home);
	free(user.shell);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct user odd = {.uid = 7};
		auto_free char *copy = strdup(texts[i]);

		user_take_entry(&odd, copy);
		ok(!odd.home && !odd.shell, "odd text %zu tells no home and no shell", i);
		free(odd.name);
	}
	user = (struct user){.uid = 7};
	user_take_entry(&user, NULL);
	ok(!user.name, "no file tells nothing");
}

static void the_first_lines_name_the_user(void)
{
	auto_free char *passwd = user_passwd_line("u", 7, 8, "/home/u", "/bin/sh");
	auto_free char *odd = user_passwd_line("u", 7, 8, "/home/u:\n", "/bin/sh");
	auto_free char *own = user_group_lines("u", 8, "v:x:9");
	auto_free char *known = user_group_lines("u", 8, "v:x:9:\nw:x:8");
	auto_free char *alone = user_group_lines("u", 8, NULL);

	is_str(passwd, "u:x:7:8::/home/u:/bin/sh\n", "a line of passwd");
	is_str(odd, "u:x:7:8::/:/bin/sh\n", "a home that it cannot hold");
	is_str(own, "u:x:8:\nv:x:9", "the user's own group comes first");
	is_str(known, "v:x:9:\nw:x:8", "if it has no name yet");
	is_str(alone, "u:x:8:\n", "or is the only one");
}

static void the_home_is_an_absolute_path(void)
{
	static const char *const odd[] = {"", "home", "../x", "/a/../b"};
	struct err err;

	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		auto_user *user = NULL;

		(void)setenv("HOME", odd[i], 1);
		ok(user_read(&user, &err) == 0 && user->home[0] == '/' && !strstr(user->home, ".."),
		   "HOME='%s' is not taken", odd[i]);
	}
	auto_user *user = NULL;

	(void)setenv("HOME", "//home//x/", 1);
	ok(user_read(&user, &err) == 0, "the machine's own files are read");
	is_str(user->home, "/home/x", "and a HOME is made tidy");
}

int main(void)
{
	lines_of_group_may_be_anything();
	a_missing_group_file_gives_none();
	lines_of_passwd_may_be_anything();
	the_first_lines_name_the_user();
	the_home_is_an_absolute_path();
	return done_testing();
}
