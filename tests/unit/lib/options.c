/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/options.h"

#include "lib/log.h"
#include "lib/own.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

enum { DIG = 1, FILL = 2, WORDS_MAX = 12 };

/* What a line of words came to. */
struct dug {
	bool deep, wet;
	const char *place;
	enum log_level level;
	unsigned noted;
	int result;
	char **operand;
	struct err err;
};

static int take_even(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	(void)to;
	return atoi(value) % 2 == 0 ? 0 : err_set(err, "--%s is odd", option->name);
}

static int note(void *to, const struct cli_option *option, struct err *err)
{
	struct dug *dug = to;

	if (strcmp(option->name, "denied") == 0)
		return err_set(err, "not this one");
	dug->noted++;
	return 0;
}

static const char *foreign(const char *name, size_t len)
{
	static const struct advice table[] = {{"s", "use a shovel"}, {"spade", "use a shovel"}};

	return advice_find(table, COUNT_OF(table), name, len);
}

static const struct advice absent[] = {{"pump", "there is no power"}};

static const struct cli_option table[] = {
	{"deep", 'd', NULL, DIG | FILL, CLI_FLAG(struct dug, deep), "deeper"},
	{"wet", 'w', NULL, DIG, CLI_FLAG(struct dug, wet), "through water"},
	{"place", 'p', "WHERE", DIG | FILL, CLI_TEXT(struct dug, place), "another one"},
	{"even", 0, "N", DIG, take_even, 0, NULL},
	{"denied", 0, NULL, DIG, CLI_FLAG(struct dug, wet), "never"},
	{"gravel", 'd' + 1, NULL, FILL, CLI_FLAG(struct dug, wet), "with stones"},
	{"verbose", 'v', NULL, DIG | FILL, cli_take_verbose, offsetof(struct dug, level), "more"},
	{"quiet", 'q', NULL, DIG | FILL, cli_take_quiet, offsetof(struct dug, level), "less"},
	{"help", 'h', NULL, DIG | FILL, NULL, 0, "this help"},
};

#define COMMON .option = table, .count = COUNT_OF(table)

static const struct cli dig = {
	.verb = "dig",
	.usage = "[OPTION...] HOLE [WORD...]",
	.about = "Dig a hole.",
	.example = {"firn dig --deep pit"},
	.bit = DIG,
	.program = true,
	.foreign = foreign,
	.absent = absent,
	.absents = COUNT_OF(absent),
	.note = note,
	COMMON,
};
static const struct cli fill = {
	.verb = "fill", .usage = "HOLE", .about = "Fill it.", .bit = FILL, COMMON};

/* @line's words stand apart by blanks. What it points to lives until the fourth call from now. */
static struct dug *read_line(const struct cli *cli, const char *line)
{
	static struct {
		char text[128];
		char *argv[WORDS_MAX + 1];
		struct dug dug;
	} turns[4], *turn = turns;
	int argc = 0;

	turn = turn + 1 < turns + COUNT_OF(turns) ? turn + 1 : turns;
	(void)snprintf(turn->text, sizeof(turn->text), "%s", line);
	for (char *word = strtok(turn->text, " "); word && argc < WORDS_MAX;
	     word = strtok(NULL, " "))
		turn->argv[argc++] = word;
	turn->argv[argc] = NULL;
	turn->dug = (struct dug){0};
	turn->dug.result =
		cli_read(cli, turn->argv, &turn->dug, &turn->dug.operand, &turn->dug.err);
	return &turn->dug;
}

static const char *refusal(const struct cli *cli, const char *line)
{
	const struct dug *dug = read_line(cli, line);

	return dug->result < 0 ? dug->err.text : "taken";
}

/* The operands with a blank behind each. */
static const char *operands(const struct cli *cli, const char *line)
{
	static char text[128];
	const struct dug *dug = read_line(cli, line);
	size_t len = 0;

	text[0] = '\0';
	for (char **at = dug->operand; dug->result == 0 && *at; at++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", *at);
	return dug->result == 0 ? text : dug->err.text;
}

static void every_spelling_is_taken(void)
{
	static const char *const lines[] = {"--place=hill x", "--place hill x", "-phill x",
					    "-p hill x",      "-dphill x",	"-dp hill x"};
	const struct dug *dug;

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		is_str(read_line(&dig, lines[i])->place, "hill", lines[i]);
	dug = read_line(&dig, "-dw --wet x");
	ok(dug->deep && dug->wet && !dug->place, "letters in one word");
	ok(dug->noted == 3, "each is noted, also one that is given twice");
	is_str(read_line(&dig, "--place= x")->place, "", "an empty value");
	is_str(read_line(&dig, "--place --deep x")->place, "--deep", "a value with dashes");
	is_str(read_line(&dig, "-p=hill x")->place, "=hill", "'=' behind a letter is the value's");
	is_str(read_line(&dig, "--place a --place b x")->place, "b", "the last one counts");
}

static void operands_are_left(void)
{
	is_str(operands(&dig, "-d pit --wet -- -v"), "pit --wet -- -v ", "a program's words");
	is_str(operands(&dig, "-d -- --pit -v"), "--pit -v ", "behind --");
	is_str(operands(&dig, "-d --"), "", "nothing behind it");
	is_str(operands(&dig, ""), "", "no word at all");
	is_str(operands(&dig, "- -d"), "- -d ", "a dash alone is one");
	is_str(operands(&fill, "a -d b --place x c -- -q d"), "a b c -q d ",
	       "options between operands");
	is_str(operands(&fill, "-d"), "", "options alone");
	ok(read_line(&fill, "a -d")->deep, "options behind them");
}

static void mistakes_are_answered(void)
{
	is_str(refusal(&dig, "--dep x"),
	       "unknown option '--dep'; did you mean '--deep'? see "
	       "'firn dig --help'",
	       "a word nearly right");
	is_str(refusal(&dig, "--pla=x y"), "unknown option '--pla'; see 'firn dig --help'",
	       "one cut to three letters");
	is_str(refusal(&dig, "--plac=x y"),
	       "unknown option '--plac'; did you mean '--place'? see 'firn dig --help'",
	       "one cut short is not taken");
	is_str(refusal(&dig, "--=x"), "unknown option '--'; see 'firn dig --help'", "no name");
	is_str(refusal(&dig, "-dZ x"), "unknown option '-Z'; see 'firn dig --help'", "a letter");
	is_str(refusal(&dig, "--deep=1 x"), "option '--deep' takes no value", "a value too much");
	is_str(refusal(&dig, "--place"), "option '--place' needs a value: WHERE", "none");
	is_str(refusal(&dig, "-dp"), "option '-p' needs a value: WHERE", "none for a letter");
	is_str(refusal(&dig, "--even 3 x"), "--even is odd", "what the option's function says");
	is_str(refusal(&dig, "--even 2 x"), "taken", "or does not say");
	is_str(refusal(&dig, "--denied x"), "not this one", "what the note says");
	is_str(refusal(&fill, "x --wet"), "unknown option '--wet'; see 'firn fill --help'",
	       "another verb's");
	is_str(refusal(&dig, "-e x"), "unknown option '-e'; see 'firn dig --help'",
	       "another verb's letter");
}

static void words_of_others_are_answered(void)
{
	is_str(refusal(&dig, "--spade=2 x"), "firn dig has no option '--spade'; use a shovel",
	       "a word");
	is_str(refusal(&dig, "-ds x"), "firn dig has no option '-s'; use a shovel", "a letter");
	is_str(refusal(&fill, "-s x"), "unknown option '-s'; see 'firn fill --help'",
	       "where none are known");
	is_str(refusal(&dig, "--pump x"),
	       "option '--pump' is not in this version: there is no power", "what is to come");
	is_str(refusal(&dig, "--pum x"), "unknown option '--pum'; see 'firn dig --help'",
	       "is not guessed");
}

static void levels_are_read(void)
{
	ok(read_line(&dig, "x")->level == LOG_NORMAL, "none");
	ok(read_line(&dig, "-v x")->level == LOG_VERBOSE, "-v");
	ok(read_line(&dig, "-vvv x")->level == LOG_DEBUG, "-vvv");
	ok(read_line(&dig, "-vvq x")->level == LOG_QUIET, "-q last");
	ok(read_line(&dig, "-qv x")->level == LOG_VERBOSE, "-v last");
}

static void help_is_told(void)
{
	auto_free char *text = NULL;
	size_t size;
	FILE *out;

	ok(read_line(&dig, "-d --help --nonsense")->result == CLI_HELP, "nothing behind is read");
	ok(read_line(&dig, "-dh")->result == CLI_HELP, "among letters");
	ok(read_line(&fill, "pit -h")->result == CLI_HELP, "behind an operand");
	ok(read_line(&dig, "pit -h")->result == 0, "but not a program's");
	ok(read_line(&dig, "--nonsense -h")->result < 0, "nor behind a mistake");
	out = open_memstream(&text, &size);
	if (!out)
		exit(2);
	cli_help(&dig, out);
	(void)fclose(out);
	ok(strncmp(text, "usage: firn dig [OPTION...] HOLE [WORD...]\nDig a hole.\n\n  -d, --deep",
		   68) == 0,
	   "what it is");
	ok(strstr(text, "      --even N\n") && !strstr(text, "gravel") && !strstr(text, "pump"),
	   "the verb's options");
	ok(strstr(text, "\n\nExamples:\n    firn dig --deep pit\n"), "examples");
}

int main(void)
{
	every_spelling_is_taken();
	operands_are_left();
	mistakes_are_answered();
	words_of_others_are_answered();
	levels_are_read();
	help_is_told();
	return done_testing();
}
