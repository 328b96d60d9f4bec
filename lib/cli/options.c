/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/options.h"

#include "lib/cli/usage.h"
#include "lib/log.h"
#include "lib/own.h"

#include <string.h>

struct cli_reading {
	const struct cli *cli;
	void *to;
	bool help; /* was asked for */
	struct err *err;
};

/* "firn exec" */
struct cli_name {
	char text[64];
};

static struct cli_name name_of(const struct cli *cli)
{
	struct cli_name name;

	(void)snprintf(name.text, sizeof(name.text), "%s%s%s", cli->who ? cli->who : "firn",
		       cli->verb ? " " : "", cli->verb ? cli->verb : "");
	return name;
}

static bool has(const struct cli *cli, const struct cli_option *option)
{
	return option->verbs & cli->bit;
}

static const struct cli_option *find_long(const struct cli *cli, const char *name, size_t len)
{
	for (const struct cli_option *at = cli->option; at < cli->option + cli->count; at++)
		if (has(cli, at) && strlen(at->name) == len && strncmp(at->name, name, len) == 0)
			return at;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli *cli, char letter)
{
	for (const struct cli_option *at = cli->option; at < cli->option + cli->count; at++)
		if (has(cli, at) && at->letter == letter)
			return at;
	return NULL;
}

/* @dashes before the @len bytes of @name. */
static int refuse(const struct cli *cli, const char *dashes, const char *name, size_t len,
		  struct err *err)
{
	const char *advice = cli->foreign ? cli->foreign(name, len) : NULL;
	const char *reason = advice_find(cli->absent, cli->absents, name, len);
	struct nearest nearest = {.word = name, .len = len};
	struct cli_name own = name_of(cli);

	if (reason)
		return err_set(err, "option '%s%.*s' is not in this version: %s", dashes, (int)len,
			       name, reason);
	if (advice)
		return err_set(err, "%s has no option '%s%.*s'; %s", own.text, dashes, (int)len,
			       name, advice);
	for (size_t i = 0; i < cli->count; i++)
		if (has(cli, &cli->option[i]))
			nearest_try(&nearest, cli->option[i].name);
	if (nearest.best)
		return err_set(err, "unknown option '%s%.*s'; did you mean '--%s'? see '%s --help'",
			       dashes, (int)len, name, nearest.best, own.text);
	return err_set(err, "unknown option '%s%.*s'; see '%s --help'", dashes, (int)len, name,
		       own.text);
}

int cli_truth(const char *value)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (strcmp(value, yes[i]) == 0)
			return 1;
		if (strcmp(value, no[i]) == 0)
			return 0;
	}
	return -1;
}

static int take(struct cli_reading *at, const struct cli_option *option, const char *value)
{
	const struct cli *cli = at->cli;

	if (!option->take) {
		at->help = true;
		return 0;
	}
	if (cli->note && cli->note(at->to, option, at->err) < 0)
		return -1;
	return option->take(at->to, option, value, at->err);
}

/* "--name=false": on the command line, and not taken. Returns the words used, or -1. */
static int leave(struct cli_reading *at, const struct cli_option *option)
{
	const struct cli *cli = at->cli;

	return option->take && cli->note && cli->note(at->to, option, at->err) < 0 ? -1 : 1;
}

/* "--name", "--name=value" or "--name value". Returns the words used, or -1. */
static int take_long(struct cli_reading *at, char **argv)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");
	const struct cli_option *option = find_long(at->cli, name, len);
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	int used = 1;

	if (!option)
		return refuse(at->cli, "--", name, len, at->err);
	if (!option->value && value && at->cli->truths && cli_truth(value) >= 0)
		return cli_truth(value) ? (take(at, option, NULL) < 0 ? -1 : 1) : leave(at, option);
	if (!option->value && value)
		return err_set(at->err, "option '--%s' takes no value", option->name);
	if (option->value && !value) {
		value = argv[1];
		used = 2;
	}
	if (option->value && !value)
		return err_set(at->err, "option '--%s' needs a value: %s", option->name,
			       option->value);
	return take(at, option, value) < 0 ? -1 : used;
}

/* "-vv", "-B value", "-Bvalue" or "-vB value". Returns the words used, or -1. */
static int take_short(struct cli_reading *at, char **argv)
{
	for (const char *letter = argv[0] + 1; *letter; letter++) {
		const struct cli_option *option = find_letter(at->cli, *letter);
		const char *value = letter[1] ? letter + 1 : argv[1];

		if (!option)
			return refuse(at->cli, "-", letter, 1, at->err);
		if (option->value && !value)
			return err_set(at->err, "option '-%c' needs a value: %s", *letter,
				       option->value);
		if (take(at, option, option->value ? value : NULL) < 0)
			return -1;
		if (option->value)
			return letter[1] ? 1 : 2;
	}
	return 1;
}

static bool is_operand(const char *word)
{
	return word[0] != '-' || !word[1];
}

int cli_read(const struct cli *cli, char **argv, void *to, char ***operand, struct err *err)
{
	struct cli_reading reading = {.cli = cli, .to = to, .err = err};
	char **at = argv, **front = argv;

	while (*at && strcmp(*at, "--") != 0 && !(cli->program && is_operand(*at))) {
		int used = 1;

		if (is_operand(*at))
			*front++ = *at;
		else
			used = at[0][1] == '-' ? take_long(&reading, at) : take_short(&reading, at);
		if (used < 0)
			return -1;
		if (reading.help)
			return CLI_HELP;
		at += used;
	}
	if (*at && strcmp(*at, "--") == 0)
		at++;
	*operand = at;
	if (cli->program)
		return 0;
	*operand = argv;
	do
		*front++ = *at;
	while (*at++);
	return 0;
}

void cli_help(const struct cli *cli, FILE *out)
{
	(void)fprintf(out, "usage: %s %s\n%s\n\n", name_of(cli).text, cli->usage, cli->about);
	for (const struct cli_option *at = cli->option; at < cli->option + cli->count; at++)
		if (has(cli, at))
			usage_option(out, at->letter, at->name, at->value, at->help);
	usage_examples(out, cli->example);
}

static void *field(void *to, const struct cli_option *option)
{
	return (char *)to + option->field;
}

int cli_take_flag(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)field(to, option) = true;
	return 0;
}

int cli_take_text(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	(void)err;
	*(const char **)field(to, option) = value;
	return 0;
}

int cli_take_quiet(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(enum log_level *)field(to, option) = LOG_QUIET;
	return 0;
}

int cli_take_verbose(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	enum log_level *level = field(to, option);

	(void)value;
	(void)err;
	*level = *level < LOG_VERBOSE ? LOG_VERBOSE : LOG_DEBUG;
	return 0;
}
