/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/usage.h"

#include "lib/cli/advice.h"
#include "lib/own.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static const char *guess(const char *word)
{
	static const char *const known[] = {"bind",    "env",	"env-file", "home",
					    "no-home", "root",	"cwd",	    "writable-tmpfs",
					    "overlay", "force", "platform"};
	struct nearest nearest = {.word = word, .len = strlen(word)};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		nearest_try(&nearest, known[i]);
	return nearest.best ? nearest.best : "-";
}

static void what_is_close_is_found(void)
{
	is_str(guess("bnd"), "bind", "a letter left out");
	is_str(guess("binds"), "bind", "one too many");
	is_str(guess("bnid"), "bind", "two swapped");
	is_str(guess("envfile"), "env-file", "a dash left out");
	is_str(guess("env_file"), "env-file", "another sign in its place");
	is_str(guess("writeable-tmpfs"), "writable-tmpfs", "a word that many misspell");
	is_str(guess("writable"), "writable-tmpfs", "a begin");
	is_str(guess("platfrom"), "platform", "eight letters");
}

static void what_is_not_is_not(void)
{
	static const char *const far[] = {"", "x", "nosuch", "pwd", "rm", "it", "gpus", "volume"};
	char text[3000];

	for (size_t i = 0; i < COUNT_OF(far); i++)
		is_str(guess(far[i]), far[i][0] == 'p' ? "cwd" : "-", far[i]);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	is_str(guess(text), "-", "a word of three thousand letters");
}

static void help_fits_a_terminal(void)
{
	static const char *const examples[] = {"firn exec a b", NULL};
	char *text = NULL, *line;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(2);
	usage_option(out, 'B', "bind", "SRC[:DST[:ro|rw|optional]]", "show the host's SRC");
	usage_option(
		out, 0, "x", NULL,
		"a text that is much longer than what has room beside it on one line and so has "
		"to be broken where a blank is, as often as it takes to the end of it all");
	usage_option(out, 'q', "quiet", NULL, "errors only");
	usage_examples(out, examples);
	(void)fclose(out);
	ok(strncmp(text,
		   "  -B, --bind SRC[:DST[:ro|rw|optional]]\n"
		   "                            show",
		   72) == 0,
	   "a long option has its help below");
	ok(strstr(text, "\n  -q, --quiet               errors only\n"), "a short one beside it");
	ok(strstr(text, "\n      --x                   a text"), "also without a letter");
	ok(strstr(text, "\n\nExamples:\n    firn exec a b\n"), "examples follow");
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ok(strlen(line) < 80 && line[strlen(line) - 1] != ' ', "%zu columns", strlen(line));
	free(text);
}

static void words_of_others_have_advice(void)
{
	static const struct advice table[] = {{"b", "one"}, {"bind", "two"}};

	is_str(advice_find(table, 2, "bind=/a", 4), "two", "of a word's begin");
	is_str(advice_find(table, 2, "b", 1), "one", "of a letter");
	ok(!advice_find(table, 2, "bin", 3) && !advice_find(table, 2, "binds", 5),
	   "the whole word");
}

int main(void)
{
	words_of_others_have_advice();
	what_is_close_is_found();
	what_is_not_is_not();
	help_fits_a_terminal();
	return done_testing();
}
