/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/edits.h"

#include "lib/words.h"
#include "tests/unit/tap.h"

#include <string.h>

/* All that is there, in one line. */
static const char *joined(char *const *env)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (; env && *env; env++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", *env);
	return text;
}

static void add(struct edits *edits, enum edit_kind kind, const char *source, const char *target)
{
	struct err err;

	ok(edits_add(edits, kind, source, target, "it is wanted", &err) == 0, "an edit: %s",
	   target);
}

static void changes_the_environment(void)
{
	char *env[] = {(char *)"L=/image", (char *)"GONE=1", (char *)"E=", NULL};
	auto_edits edits = {NULL, 0};
	char **made = NULL;
	struct err err;

	add(&edits, EDIT_PREPEND, "/host", "L");
	add(&edits, EDIT_APPEND, "/last", "L");
	add(&edits, EDIT_PREPEND, "/e", "E");
	add(&edits, EDIT_APPEND, "/new", "N");
	add(&edits, EDIT_UNSET, NULL, "GONE");
	add(&edits, EDIT_UNSET, NULL, "NEVER");
	add(&edits, EDIT_LIBRARY, "/lib/a", EDITS_LIBRARIES "/a");
	add(&edits, EDIT_SET, "a=b c", "S");
	ok(edits_apply(&edits, env, &made, &err) == 0, "they are applied");
	is_str(joined(made), "L=/host:/image:/last E=/e N=/new S=a=b c ", "... in order");
	words_free(made);
	ok(edits_apply(&edits, NULL, &made, &err) == 0, "to nothing at all");
	is_str(joined(made), "L=/host:/last E=/e N=/new S=a=b c ", "... as well");
	words_free(made);
}

static void tells_others(void)
{
	auto_edits edits = {NULL, 0}, heard = {NULL, 0};
	auto_free char *text = NULL;
	char wrong[] = "lend A=b\n", none[] = "set =b\n";
	char **made = NULL;
	struct err err;

	add(&edits, EDIT_DIRECTORY, "/usr/lib/x", "/usr/lib/x");
	add(&edits, EDIT_SET, "1 2=3", "A");
	add(&edits, EDIT_UNSET, NULL, "A");
	add(&edits, EDIT_PREPEND, "/b", "B");
	ok(edits_write(&edits, &text, &err) == 0, "the environment's as a text");
	is_str(text, "set A=1 2=3\nunset A=\nprepend B=/b\n", "... a line each");
	ok(edits_read(&heard, text, &err) == 0, "... is read");
	ok(heard.count == 3, "... whole");
	ok(edits_apply(&heard, NULL, &made, &err) == 0, "... and applied");
	is_str(joined(made), "B=/b ", "... to the same");
	words_free(made);
	ok(edits_read(&heard, wrong, &err) < 0, "another word is an error");
	ok(edits_read(&heard, none, &err) < 0, "so is a variable without a name");
}

static void prints(void)
{
	auto_edits edits = {NULL, 0}, all = {NULL, 0};
	auto_free char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	struct err err;

	ok(edits_add(&edits, EDIT_OVER, "/a b", "/c", "why", &err) == 0 &&
		   edits_add(&edits, EDIT_UNSET, NULL, "V", NULL, &err) == 0 &&
		   edits_add(&edits, EDIT_SET, "x", "W", "so", &err) == 0,
	   "edits of three kinds");
	ok(edits_join(&all, &edits, &err) == 0, "... are copied");
	edits_clear(&edits);
	edits_print(&all, file);
	(void)fclose(file);
	is_str(text, "edit over /a\\040b /c # why\nedit unset V\nedit set W x # so\n",
		"... and printed with their reasons");
	ok(edits_add(&all, EDIT_SET, "x", "A=B", NULL, &err) < 0, "a name has no '=' in it");
}

int main(void)
{
	changes_the_environment();
	tells_others();
	prints();
	return done_testing();
}
