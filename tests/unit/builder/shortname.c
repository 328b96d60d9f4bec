/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/shortname.h"

#include "builder/fetch/registries_conf.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;
static char home[64];

/* Put @text into the file @name of the user's ~/.config/containers. */
static void say(const char *name, const char *text)
{
	char path[200];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/.config/containers/%s", home, name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(2);
}

/* "host/name tag: said", or "error: ...". */
static const char *meaning(const char *text, const char *site)
{
	static char out[2000];
	auto_reference *reference = NULL;
	auto_free char *said = NULL;

	if (shortname_resolve(text, site, &reference, &said, &err) < 0) {
		(void)snprintf(out, sizeof(out), "error: %s", err.text);
		return out;
	}
	(void)snprintf(out, sizeof(out), "%s/%s %s: %s", reference->host, reference->name,
		       reference->tag ? reference->tag : "-", said ? said : "-");
	return out;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void without_a_word_it_is_docker_hub(void)
{
	say("registries.conf", "# nothing\n");
	is_str(meaning("alpine", NULL),
	       "docker.io/library/alpine latest: 'alpine' is docker.io/library/alpine:latest",
	       "a name");
	is_str(meaning("me/tool:1", NULL),
	       "docker.io/me/tool 1: 'me/tool:1' is docker.io/me/tool:1", "a group and a tag");
	is_str(meaning("example.org/alpine", NULL), "example.org/alpine latest: -",
	       "a name with its registry");
	is_str(meaning("localhost/alpine", NULL), "localhost/alpine latest: -", "localhost");
	ok(starts(meaning("Alpine", NULL), "error: 'Alpine': 'Alpine' is no image name"),
	   "what is no name");
	ok(starts(meaning("", NULL), "error: "), "nothing");
}

static void the_site_goes_first(void)
{
	say("registries.conf", "unqualified-search-registries = [\"quay.io\"]\n"
			       "[aliases]\n\"alpine\" = \"example.org/a\"\n");
	is_str(meaning("alpine", "site.example.org"),
	       "site.example.org/alpine latest: 'alpine' is site.example.org/alpine:latest, by "
	       "firn.conf",
	       "before aliases and lists");
	is_str(meaning("alpine", "docker.io"),
	       "docker.io/library/alpine latest: 'alpine' is docker.io/library/alpine:latest, by "
	       "firn.conf",
	       "also Docker Hub");
	say("registries.conf", "nonsense");
	ok(starts(meaning("alpine", "site.example.org"), "site.example.org/alpine"),
	   "whatever the files hold");
}

static void the_files_are_heeded(void)
{
	say("registries.conf",
	    "unqualified-search-registries = [\"quay.io\"]\n"
	    "[aliases]\n\"alpine\" = \"example.org/a\"\n'lab/tool' = 'x.org:5/t'\n"
	    "\"bad\" = \"alpine\"\n\"tagged\" = \"x.org/t:1\"\n");
	ok(starts(meaning("alpine:3", NULL), "example.org/a 3: 'alpine:3' is example.org/a:3, an "
					     "alias of '/"),
	   "an alias, with the tag");
	ok(starts(meaning("lab/tool", NULL), "x.org:5/t latest"), "of a group");
	ok(starts(meaning("lab/alpine", NULL), "quay.io/lab/alpine latest"), "the list for others");
	ok(strstr(meaning("debian", NULL), ", by '/"), "with the file that says so");
	ok(starts(meaning("bad", NULL), "error: the alias of '"), "an alias without a registry");
	ok(starts(meaning("tagged", NULL), "error: "), "or with a tag");
	say("registries.conf", "unqualified-search-registries = [\"quay.io\", 'docker.io', ]\n");
	ok(strstr(meaning("debian", NULL), "the first registry of the 2 in '"), "one of several");
	say("registries.conf", "unqualified-search-registries = []\n");
	ok(strstr(meaning("debian", NULL), "lists none to look in"), "of none");
	say("registries.conf", "[registries.search]\nregistries = ['old.org']\n");
	ok(starts(meaning("debian", NULL), "old.org/debian latest"), "the old format");
}

static void later_files_overrule(void)
{
	say("registries.conf", "unqualified-search-registries = [\"one.org\"]\n"
			       "[aliases]\na = \"one.org/a\"\nb = \"one.org/b\"\n");
	say("registries.conf.d/10.conf", "[aliases]\na = \"two.org/a\"\n");
	say("registries.conf.d/20.conf", "unqualified-search-registries = [\"three.org\"]\n"
					 "[aliases]\nb = \"\"\n");
	say("registries.conf.d/30.off", "[aliases]\na = \"four.org/a\"\n");
	ok(starts(meaning("a", NULL), "two.org/a"), "an alias");
	ok(starts(meaning("b", NULL), "three.org/b"), "takes one back, and overrules the list");
	say("registries.conf.d/20.conf", "x");
	ok(strstr(meaning("a", NULL), "20.conf' line 1: "), "what is not understood is an error");
	ok(starts(meaning("example.org/a", NULL), "example.org/a"), "but not for a full name");
	say("registries.conf.d/10.conf", "");
	say("registries.conf.d/20.conf", "");
}

/* What is read of @text: the aliases and hosts, or the error. */
static const char *reading(const char *text)
{
	static char out[4000];
	auto_registries_conf conf = {0};
	size_t len = 0;

	if (registries_conf_take(&conf, text, strlen(text), "F", &err) < 0)
		return err.text;
	out[0] = '\0';
	for (size_t i = 0; i < conf.alias_count && len < 3000; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s=%s ", conf.alias[i].name,
					conf.alias[i].target);
	for (size_t i = 0; i < conf.host_count && len < 3000; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "@%s ", conf.host[i]);
	return out;
}

static void toml_is_read(void)
{
	is_str(reading("unqualified-search-registries = [ # which\n 'a.org', # one\n\n "
		       "\"b.org\"\n]\n"),
	       "@a.org @b.org ", "an array over lines, with comments");
	is_str(reading("short-name-mode=\"enforcing\"\ncredential-helpers = []\n"
		       "[[registry]]\nlocation=\"x\"\ninsecure = true\nblocked=false\n"
		       "[[registry.mirror]]\nlocation = 'y'\nt = {a = 1, b = [[1, 2], 'x']}\n"
		       "[aliases]\r\n\"a\"=\"b.org/a\"\r\n"),
	       "a=b.org/a ", "what is nobody's business is read over");
	is_str(reading("a = \"\"\"\n[aliases]\n\"x\" = 'y'\\\"\"\"\\\n\"\"\"\"\" # two more\n"
		       "b = ['''\\''', \"\\u00e4\\U000000e4\\x\\\\\", '\\', \"\", '']\n"
		       "[aliases]\na = 'b.org/a'\n"),
	       "a=b.org/a ", "and so are its strings, of whatever kind");
	is_str(reading("registry.a . 'b.c' = 'd'\n[ aliases ]\n 'a.b' = 'c.org/d'\n"),
	       "a.b=c.org/d ", "dotted keys");
	is_str(reading("[aliases]\n\"a\\\"\\\\\" = \"x\""), "a\"\\=x ",
	       "escapes, and no last line end");
	is_str(reading("'aliases.a' = 'b.org/a'\naliases-old = { a = 'b.org/a' }\n"
		       "[other]\nunqualified-search-registries = ['x']\n"),
	       "", "of another table");
	is_str(reading(""), "", "nothing");
}

/* One thing has several spellings, and another engine takes them all. */
static void each_spelling_is_taken(void)
{
	static const char *const one[] = {
		"[aliases]\na = 'b.org/a'",
		"aliases = { a = 'b.org/a' }",
		"aliases = {\"a\"=\"b.org/a\"} # one",
		"aliases.a = 'b.org/a'",
		"'aliases' . \"a\" = 'b.org/a'",
		"[\"aliases\"]\n'a' = 'b.org/a'",
		"x = { aliases = { a = 'c.org/a' } }\naliases.a = 'b.org/a'",
		"Aliases.a = 'b.org/a'",
	};
	static const char *const list[] = {
		"unqualified-search-registries = ['a.org']",
		"\"unqualified-search-registries\" = ['a.org']",
		"Unqualified-Search-Registries = ['a.org']",
		"[registries.search]\nregistries = ['a.org']",
		"[registries]\nsearch.registries = ['a.org']\ninsecure.registries = ['b.org']",
		"registries.search.registries = ['a.org']\nregistries.block.registries = []",
		"registries = { search = { registries = ['a.org'] } }",
	};

	for (size_t i = 0; i < COUNT_OF(one); i++)
		ok(strcmp(reading(one[i]), "a=b.org/a ") == 0, "an alias, %zu", i);
	for (size_t i = 0; i < COUNT_OF(list); i++)
		ok(strcmp(reading(list[i]), "@a.org ") == 0, "a list, %zu", i);
	is_str(reading("aliases = { 'x.y/z' = 'b.org/a', c = 'd.org/e', }\n[aliases]\nf = 'g'"),
	       "x.y/z=b.org/a c=d.org/e f=g ", "several");
	say("registries.conf", "aliases = { tool = \"quay.io/x/tool\" }\n");
	ok(starts(meaning("tool:1", NULL), "quay.io/x/tool 1: "), "and it is what a name means");
}

static void what_is_not_understood_is_told(void)
{
	static const char *const bad[][2] = {
		{"a", "F' line 1: it is not of the form KEY = VALUE"},
		{"\n\n= 1", "F' line 3: a key is missing"},
		{"\"\".aliases.a = 'b'", "F' line 1: a key is missing"},
		{"a = ", "F' line 1: a value is missing"},
		{"a = \"x\n\"", "F' line 1: a string does not end"},
		{"a = 'x", "F' line 1: a string does not end"},
		{"aliases.a = \"\"\"x\"\"\"",
		 "F' line 1: a string of several lines is not understood"},
		{"aliases.a = \"\\u00e4\"", "F' line 1: an escape in a string is not understood"},
		{"aliases.a = \"\\", "F' line 1: an escape in a string is not understood"},
		{"a = \"\\", "F' line 1: a string does not end"},
		{"a = \"\\\"", "F' line 1: a string does not end"},
		{"a = '''\nx''\n", "F' line 3: a string does not end"},
		{"a = \"\"\"x\\\"\"\"", "F' line 1: a string does not end"},
		{"a = '''\n\001'''", "F' line 2: a string has a control character"},
		{"a = '''\n\n''' b", "F' line 3: the line does not end"},
		{"a = [1 2]", "F' line 1: an array or a table does not end"},
		{"a = [", "F' line 1: a value is missing"},
		{"a = {x}", "F' line 1: it is not of the form KEY = VALUE"},
		{"a = {x = 1 y = 2}", "F' line 1: an array or a table does not end"},
		{"a = 'x\001'", "F' line 1: a string has a control character"},
		{"a = 1 b = 2", "F' line 1: the line does not end"},
		{"[a", "F' line 1: the name of a table does not end"},
		{"[[a]", "F' line 1: the name of a table does not end"},
		{"[a] b = 1", "F' line 1: the line does not end"},
		{"unqualified-search-registries = 'x'", "F' line 1: it is no array of strings"},
		{"unqualified-search-registries = [1]",
		 "F' line 1: it is no string, or no array of strings"},
		{"unqualified-search-registries = [['x']]", "F' line 1: it is no array of strings"},
		{"[aliases]\na = ['x']", "F' line 2: an alias is one string"},
		{"[aliases]\na = 1", "F' line 2: it is no string, or no array of strings"},
		{"[aliases]\na.b = 'c.org/d'",
		 "F' line 2: an alias is one string, its name in quotes"},
		{"aliases.a.b = 'c.org/d'", "F' line 1: an alias is one string"},
		{"aliases.a = {b = 'c.org/d'}", "F' line 1: an alias is one string"},
		{"[aliases.a]\nb = 'c.org/d'", "F' line 1: an alias is one string"},
		{"aliases = 'a'", "F' line 1: it is to be a table"},
		{"aliases = [{a = 'b'}]", "F' line 1: it is to be a table"},
		{"[[aliases]]\na = 'b'", "F' line 1: it is to be a table"},
		{"\"alia\\u0073es\" = {}", "F' line 1: an escape in a string is not understood"},
		{"aliases.a = 'b'\n[aliases]\na = 'c'",
		 "F' line 3: the file has two of this alias"},
		{"[unqualified-search-registries]", "F' line 1: it is no array of strings"},
		{"unqualified-search-registries = {}", "F' line 1: it is no array of strings"},
		{"unqualified-search-registries.a = ['x']", "F' line 1: "},
		{"registries = ['x']", "F' line 1: it is to be a table"},
		{"[registries]\nsearch = ['x']", "F' line 2: it is to be a table"},
		{"[[registries.search]]", "F' line 1: it is to be a table"},
		{"unqualified-search-registries = ['x']\n[registries.search]\nregistries = ['y']",
		 "F' line 3: the file has two of this list"},
	};
	char deep[3000] = "a = ";

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(strstr(reading(bad[i][0]), bad[i][1]), "%zu is refused: %s", i, err.text);
	memset(deep + 4, '[', 2000);
	ok(strstr(reading(deep), "arrays lie too deep"), "depth is bounded");
	memset(deep, 'a', 2000);
	ok(strstr(reading(deep), "a word is too long"), "so are words");
}

int main(void)
{
	static const char *const folders[] = {"", "/.config", "/.config/containers",
					      "/.config/containers/registries.conf.d"};
	char path[200];

	(void)snprintf(home, sizeof(home), "/tmp/firn-unit.XXXXXX");
	if (!mkdtemp(home))
		return 2;
	for (size_t i = 1; i < COUNT_OF(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", home, folders[i]);
		if (mkdir(path, 0700) < 0)
			return 2;
	}
	(void)setenv("HOME", home, 1);
	(void)unsetenv("CONTAINERS_REGISTRIES_CONF");
	without_a_word_it_is_docker_hub();
	the_site_goes_first();
	the_files_are_heeded();
	later_files_overrule();
	toml_is_read();
	each_spelling_is_taken();
	what_is_not_understood_is_told();
	for (size_t i = 0; i < 3; i++) {
		static const char *const files[] = {"10.conf", "20.conf", "30.off"};

		(void)snprintf(path, sizeof(path), "%s%s/%s", home, folders[3], files[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s%s/registries.conf", home, folders[2]);
	(void)unlink(path);
	for (size_t i = COUNT_OF(folders); i-- > 0;) {
		(void)snprintf(path, sizeof(path), "%s%s", home, folders[i]);
		(void)rmdir(path);
	}
	return done_testing();
}
