/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/dialect/dialect.h"

#include "config.h"
#include "lib/cli/advice.h"
#include "lib/cli/usage.h"
#include "lib/own.h"
#include "runner/dialect/private.h"

#include <string.h>
#include <sys/stat.h>

/*
 * What programs look for that call Apptainer: cwltool takes digits and points behind " version ",
 * snakemake the last word as PEP 440 has versions, where what follows '+' is the maker's.
 */
#define VERSION_SPOKEN "1.4.0"
#define VERSION_TEXT VERSION_SPOKEN "+firn." PACKAGE_VERSION

enum { FOLDER_MODE = 0700 };

/* Words before the verb. */
struct global {
	enum log_level level;
	const char *config;
	bool version;
};

static int take_silent(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	return cli_take_quiet(to, row, value, err);
}

static int take_debug(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct global *global = to;

	(void)row;
	(void)value;
	(void)err;
	global->level = LOG_DEBUG;
	return 0;
}

static int take_nothing(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)to;
	(void)row;
	(void)value;
	(void)err;
	return 0;
}

static int refuse_config(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)to;
	(void)row;
	return err_set(err, "--config '%s' is not offered: the configuration is firn.conf", value);
}

// clang-format off
static const struct cli_option rows[] = {
	{"quiet", 'q', NULL, 1, cli_take_quiet, offsetof(struct global, level), "errors only"},
	{"silent", 's', NULL, 1, take_silent, offsetof(struct global, level), "errors only"},
	{"verbose", 'v', NULL, 1, cli_take_verbose, offsetof(struct global, level),
	 "say what was decided"},
	{"debug", 'd', NULL, 1, take_debug, 0, "say each step"},
	{"nocolor", 0, NULL, 1, take_nothing, 0, "no effect: there are no colours"},
	{"build-config", 0, NULL, 1, take_nothing, 0, "no effect: there is one configuration"},
	{"config", 'c', "FILE", 1, refuse_config, 0, "not offered: the configuration is firn.conf"},
	{"version", 0, NULL, 1, CLI_FLAG(struct global, version), "the version"},
	{"help", 'h', NULL, 1, NULL, 0, "this help"},
};

static const struct {
	const char *name, *help;
} verbs[] = {
	[DIALECT_EXEC] = {"exec", "run a command in an image"},
	[DIALECT_RUN] = {"run", "run what the image says"},
	[DIALECT_SHELL] = {"shell", "an interactive shell in an image"},
	[DIALECT_TEST] = {"test", "run the image's test"},
	[DIALECT_PULL] = {"pull", "fetch a registry's image into an image file"},
	[DIALECT_BUILD] = {"build", "make an image file from a container image or a directory"},
	[DIALECT_INSPECT] = {"inspect", "show what an image says of itself"},
	[DIALECT_CACHE] = {"cache", "show or empty the cache of fetched layers"},
	[DIALECT_VERIFY] = {"verify", "compare an image with what it says of itself"},
	[DIALECT_RUN_HELP] = {"run-help", "show an image's help"},
};

#define NO_KEYS "images have no signatures by keys"
#define NO_SETUID "no part of firn has privileges to hand out"
#define LOGIN "log in with docker, podman or skopeo, whose credentials are read"

/* Verbs that are not there, and why. */
static const struct advice absent[] = {
	{"buildcfg", "'firn doctor' tells of this machine"},
	{"capability", NO_SETUID},
	{"checkpoint", "there are no checkpoints"},
	{"completion", "bash's, zsh's and fish's are installed with firn"},
	{"config", "firn.conf(5) is the configuration"},
	{"confgen", "firn.conf(5) is the configuration"},
	{"data", "build FILE DIR packs a directory, and --bind FILE:DST shows what is in it"},
	{"delete", "there is no library://"},
	{"instance", "instances are not in this version; a service is 'firn exec --session NAME "
		     "IMAGE COMMAND &', entered by the same --session"},
	{"key", NO_KEYS},
	{"keyserver", NO_KEYS},
	{"oci", "images are run in one way"},
	{"overlay", "an overlay is a directory: mkdir DIR, and --overlay DIR"},
	{"plugin", "there are no plugins"},
	{"push", "docker, podman and skopeo push images"},
	{"registry", LOGIN},
	{"remote", LOGIN},
	{"search", "registries' own pages search"},
	{"sif", "inspect shows what a SIF file holds"},
	{"sign", NO_KEYS},
	{"startvm", "there are no virtual machines"},
};
// clang-format on

/* Run by programs, and their output is read: see VERSION_TEXT. */
static int answer_version(struct dialect *out, const char *before)
{
	printf("%s" VERSION_TEXT "\n", before);
	out->answered = true;
	return 0;
}

static void print_help(const struct cli *cli)
{
	cli_help(cli, stdout);
	printf("\nVerbs:\n");
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
	printf("\nThis is firn " PACKAGE_VERSION ", see firn(1), which understands Apptainer's "
	       "command line.\n'%s VERB --help' tells what becomes of each option.\n",
	       cli->who);
}

static int find_verb(const char *word, struct err *err)
{
	const char *why = advice_find(absent, COUNT_OF(absent), word, strlen(word));
	struct nearest nearest = {.word = word, .len = strlen(word)};

	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i].name, word) == 0)
			return (int)i;
		nearest_try(&nearest, verbs[i].name);
	}
	if (why)
		return err_set(err, "'%s' is not offered: %s", word, why);
	if (nearest.best)
		return err_set(err, "unknown verb '%s'; did you mean '%s'?", word, nearest.best);
	return err_set(err, "unknown verb '%s'; see --help", word);
}

const struct cli *dialect_cli(enum dialect_verb verb)
{
	return verb < DIALECT_PULL ? &dialect_actions[verb] : &dialect_builders[verb];
}

int dialect_say(struct words *words, const char *word, const char *value, struct err *err)
{
	if (words_add(words, word) < 0 || (value && words_add(words, value) < 0))
		return err_sys(err, "cannot take '%s'", word);
	return 0;
}

/* "option '--x'", or the variable that stands for it. */
static const char *name_of(const struct speech *speech, const struct cli_option *row, char *out,
			   size_t size)
{
	if (speech->variable)
		(void)snprintf(out, size, "'%s' means option '--%s', which", speech->variable,
			       row->name);
	else
		(void)snprintf(out, size, "option '--%s'", row->name);
	return out;
}

int dialect_refuse(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	char name[128];

	(void)value;
	return err_set(err, "%s is %s", name_of(to, row, name, sizeof(name)), row->help);
}

int dialect_no_effect(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;
	char name[128];

	(void)value;
	return words_print(&speech->to->notes, "%s has %s", name_of(to, row, name, sizeof(name)),
			   row->help) < 0
		       ? err_sys(err, "cannot take '--%s'", row->name)
		       : 0;
}

int dialect_warn(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;
	const char *last = strrchr(row->help, ';');

	(void)value;
	return words_print(&speech->to->warnings, "--%s: %s", row->name,
			   last ? last + 2 : row->help) < 0
		       ? err_sys(err, "cannot take '--%s'", row->name)
		       : 0;
}

int dialect_see(void *to, const struct cli_option *row, struct err *err)
{
	struct speech *speech = to;

	(void)err;
	speech->seen[row - speech->cli->option] = true;
	return 0;
}

static void speech_clear(struct speech *speech)
{
	words_clear(&speech->options);
	words_clear(&speech->from_variables);
	words_clear(&speech->from_files);
	words_clear(&speech->from_words);
	words_clear(&speech->scratch);
}

static int say_level(struct speech *speech, enum log_level level, struct err *err)
{
	int result = 0;

	if (level == LOG_QUIET)
		result = dialect_say(&speech->options, "--quiet", NULL, err);
	for (int i = 0; result == 0 && i < (int)level; i++)
		result = dialect_say(&speech->options, "--verbose", NULL, err);
	return result;
}

/* The verb's own words, which follow it. */
static int read_verb(const char *who, enum dialect_verb verb, char **argv, char *const *env,
		     struct dialect *out, struct err *err)
{
	CLEANUP(speech_clear) struct speech speech = {.to = out, .verb = verb};
	struct cli cli = *dialect_cli(verb);
	char **operand;
	int result;

	cli.who = who;
	speech.cli = &cli;
	result = cli_read(&cli, argv, &speech, &operand, err);
	if (result == CLI_HELP) {
		cli_help(&cli, stdout);
		out->answered = true;
		return 0;
	}
	if (result < 0 || dialect_read_variables(&speech, env, err) < 0)
		return -1;
	/* Of inspect, nothing is told: what it prints is the whole. */
	if (verb != DIALECT_INSPECT && verb != DIALECT_RUN_HELP &&
	    say_level(&speech, out->level, err) < 0)
		return -1;
	return verb < DIALECT_PULL ? dialect_end_action(&speech, operand, err)
				   : dialect_end_builder(&speech, operand, err);
}

/* "help", "help VERB" and "VERB". */
static int read_rest(const struct cli *cli, char **word, char *const *env, struct dialect *out,
		     struct err *err)
{
	static char help[] = "--help";
	char *ask[] = {help, NULL};
	bool helps = strcmp(*word, "help") == 0;
	int verb;

	if (strcmp(*word, "version") == 0)
		return answer_version(out, "");
	if (helps && !word[1]) {
		print_help(cli);
		out->answered = true;
		return 0;
	}
	verb = find_verb(helps ? word[1] : *word, err);
	if (verb < 0)
		return -1;
	return read_verb(cli->who, (enum dialect_verb)verb, helps ? ask : word + 1, env, out, err);
}

int dialect_read(char **argv, char *const *env, struct dialect *out, struct err *err)
{
	const char *slash = strrchr(argv[0], '/');
	struct cli cli = {
		.who = slash ? slash + 1 : argv[0],
		.usage = "[OPTION...] VERB ...",
		.about = "Run one image file as a normal user.",
		.option = rows,
		.count = COUNT_OF(rows),
		.bit = 1,
		.program = true,
	};
	struct global global = {.level = LOG_NORMAL};
	char **word;
	int result = cli_read(&cli, argv + 1, &global, &word, err);

	if (result < 0 || dialect_say(&out->words, "firn", NULL, err) < 0)
		return -1;
	out->level = global.level;
	if (result == CLI_HELP) {
		print_help(&cli);
		out->answered = true;
		return 0;
	}
	if (global.version)
		return answer_version(out, "apptainer version ");
	if (!*word)
		return err_set(err, "no verb given; see '%s --help'", cli.who);
	return read_rest(&cli, word, env, out, err);
}

int dialect_settle(const struct dialect *dialect, struct err *err)
{
	char *const *at;

	log_set_level(dialect->level);
	for (at = dialect->notes.item; at && *at; at++)
		log_info("%s", *at);
	for (at = dialect->warnings.item; at && *at; at++)
		log_warning("%s", *at);
	for (at = dialect->unset.item; at && *at; at++)
		if (unsetenv(*at) < 0)
			return err_sys(err, "cannot unset '%s'", *at);
	for (at = dialect->set.item; at && *at; at++)
		if (putenv(*at) != 0) /* lives as long as @dialect, which is main()'s */
			return err_sys(err, "cannot set '%s'", *at);
	for (at = dialect->folders.item; at && *at; at++)
		if (mkdir(*at, FOLDER_MODE) < 0 && errno != EEXIST)
			return err_sys(err, "cannot make '%s' of --workdir", *at);
	if (dialect->umask)
		(void)umask(022);
	return 0;
}

void dialect_clear(struct dialect *dialect)
{
	words_clear(&dialect->words);
	words_clear(&dialect->notes);
	words_clear(&dialect->warnings);
	words_clear(&dialect->folders);
	words_clear(&dialect->set);
	words_clear(&dialect->unset);
}
