/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/profile.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char whole[] = "# a comment\n"
			    "match = liba.so.1  liba.so.2\n"
			    "match=libb.so.1\n"
			    "lib = liba.so.2 /opt/a/liba.so.2\n"
			    "plugins = $LIBDIR/a/*.so /opt/*/p.so\n"
			    "data = /usr/share/a\n"
			    "require = /dev/a*\n"
			    "env.set = A_PREFIX=$LIBDIR\n"
			    "env.prepend = P=/x=y\n"
			    "env.unset = GONE\n"
			    "abi = symbols\n";

static void reads_all(void)
{
	struct profile profile = {.name = strdup("a")};
	char *text = strdup(whole);
	struct err err;

	ok(profile_take_text(&profile, text, "a.conf", &err) == 0, "a profile with all keys");
	ok(profile.match.count == 3 && strcmp(profile.match.item[2], "libb.so.1") == 0,
	   "... a list of several lines");
	ok(profile.lib.count == 2 && profile.plugins.count == 2 && profile.data.count == 1 &&
		   profile.require.count == 1,
	   "... of each kind");
	ok(profile.edits.count == 3, "... three changes of the environment");
	is_str(profile.edits.item[1].target, "P", "... their names");
	is_str(profile.edits.item[1].source, "/x=y", "... their values");
	is_str(profile.edits.item[1].why, "profile a", "... and why");
	ok(profile.edits.item[2].kind == EDIT_UNSET, "... one takes away");
	ok(profile.abi == VERDICT_SYMBOLS, "... and how much must fit");
	free(text);
	profile_clear(&profile);
}

/* Refused, in words that have @why in them. */
static void refuses(const char *lines, const char *why)
{
	struct profile profile = {.name = strdup("a")};
	char text[200];
	struct err err = {.text = ""};

	(void)snprintf(text, sizeof(text), "%s", lines);
	ok(profile_take_text(&profile, text, "a.conf", &err) < 0 && strstr(err.text, why),
	   "refused: %s", why);
	if (!strstr(err.text, why))
		printf("#   '%s'\n", err.text);
	profile_clear(&profile);
}

static void refuses_what_is_wrong(void)
{
	refuses("lib = liba.so\n", "does not say 'match'");
	refuses("match = liba.so\n", "does not say 'lib'");
	refuses("library = a\n", "line 1: there is no key 'library'");
	refuses("\n[profile]\n", "line 2: a profile has no sections");
	refuses("match\n", "not of the form KEY = VALUE");
	refuses("plugins = a/*.so\n", "is no absolute path");
	refuses("data = $LIBDIRX/a\n", "is no absolute path");
	refuses("env.set = A\n", "it is NAME=VALUE");
	refuses("env.set = =a\n", "it is NAME=VALUE");
	refuses("env.unset = A=1\n", "it is NAME");
	refuses("abi = minor\n", "it is major, full or symbols");
	refuses("abi = full\nabi = full\n", "it is there twice");
	refuses("match = \"liba.so\"\n", "values are written without quotes");
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	(void)fputs(text, file);
	(void)fclose(file);
	(void)chmod(path, 0644);
}

static void reads_folders(void)
{
	char dir[] = "/tmp/firn-profiles.XXXXXX";
	char path[300];
	struct profiles *profiles = NULL;
	struct err err = {.text = ""};

	ok(mkdtemp(dir) != NULL, "a folder");
	(void)snprintf(path, sizeof(path), "%s/", dir);
	ok(profiles_read(path, &profiles, &err) < 0 && strstr(err.text, "there is no profile"),
	   "... has none");
	write_file(dir, "b.conf", "match = b\nlib = b\n");
	write_file(dir, "a.conf", "match = a\nlib = a\n");
	write_file(dir, "README", "nothing\n");
	ok(profiles_read(path, &profiles, &err) == 0, "... has some: %s", err.text);
	ok(profiles && profiles->count == 2 && strcmp(profiles->item[0].name, "a") == 0,
	   "... in order, and no other file");
	profiles_free(profiles);
	profiles = NULL;
	(void)snprintf(path, sizeof(path), "%s/b.conf", dir);
	ok(profiles_read(path, &profiles, &err) == 0 && profiles->count == 1, "one alone");
	profiles_free(profiles);
	profiles = NULL;
	ok(profiles_read("no-such-profile", &profiles, &err) < 0 &&
		   strstr(err.text, "there is no profile 'no-such-profile'"),
	   "a name that the site has not");
	for (const char *const *name = (const char *const[]){"a.conf", "b.conf", "README", NULL};
	     *name; name++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, *name);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

int main(void)
{
	reads_all();
	refuses_what_is_wrong();
	reads_folders();
	return done_testing();
}
