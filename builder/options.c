/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/options.h"

#include "builder/foreign.h"
#include "lib/cli/usage.h"
#include "lib/log.h"
#include "lib/size.h"

#include <stdio.h>

enum option_id {
	OPTION_PLATFORM,
	OPTION_COMPRESS,
	OPTION_BLOCK_SIZE,
	OPTION_JOBS,
	OPTION_ALL_ROOT,
	OPTION_FORCE,
	OPTION_NO_CACHE,
	OPTION_REBUILD,
	OPTION_FROM,
	OPTION_KEEP,
	OPTION_JSON,
	OPTION_CONFIG,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTIONS
};

enum { FOR_BUILD = 1 << VERB_BUILD, FOR_PULL = 1 << VERB_PULL, FOR_VERIFY = 1 << VERB_VERIFY,
       FOR_CACHE = 1 << VERB_CACHE, FOR_BUILDS = FOR_BUILD | FOR_PULL, FOR_ALL = 15 };

// clang-format off
static const struct builder_option {
	const char *name;
	char letter;
	const char *value; /* what it is called in the help; NULL: it takes none */
	int verbs;
	const char *help;
} table[OPTIONS] = {
	[OPTION_PLATFORM] = {"platform", 0, "OS/ARCH[/VARIANT]", FOR_BUILDS | FOR_VERIFY,
		"which of an index' images; default: this machine's"},
	[OPTION_COMPRESS] = {"compress", 'c', "CODEC[:LEVEL]", FOR_BUILDS,
		"zstd (1-22, default 4), gzip (1-9), xz (0-9), lz4 or none"},
	[OPTION_BLOCK_SIZE] = {"block-size", 0, "SIZE", FOR_BUILDS,
		"bytes, with K or M behind; default 128K"},
	[OPTION_JOBS] = {"jobs", 'j', "N", FOR_BUILDS | FOR_VERIFY,
		"threads that compress; default: all processors"},
	[OPTION_ALL_ROOT] = {"all-root", 0, NULL, FOR_BUILDS, "everything belongs to 0:0"},
	[OPTION_FORCE] = {"force", 'f', NULL, FOR_BUILDS, "replace OUT if it is an image"},
	[OPTION_NO_CACHE] = {"no-cache", 0, NULL, FOR_BUILDS | FOR_VERIFY,
		"neither read nor fill the cache of layers"},
	[OPTION_REBUILD] = {"rebuild", 0, NULL, FOR_VERIFY,
		"build again from the recorded source, and compare"},
	[OPTION_FROM] = {"from", 0, "SOURCE", FOR_VERIFY,
		"with --rebuild: build from this instead"},
	[OPTION_KEEP] = {"keep", 0, "SIZE", FOR_CACHE,
		"gc: remove what was used longest ago until SIZE is left"},
	[OPTION_JSON] = {"json", 0, NULL, FOR_ALL,
		"the result as one JSON object on standard output"},
	[OPTION_CONFIG] = {"config", 0, "FILE", FOR_ALL, "a firn.conf to read after the site's"},
	[OPTION_QUIET] = {"quiet", 'q', NULL, FOR_ALL, "errors only"},
	[OPTION_VERBOSE] = {"verbose", 'v', NULL, FOR_ALL,
		"say what is decided; -vv: each step"},
	[OPTION_HELP] = {"help", 'h', NULL, FOR_ALL, "this help"},
};

static const struct {
	const char *name, *usage, *help;
	int min, max; /* operands */
	const char *example[4];
} verbs[] = {
	[VERB_BUILD] = {
		"build", "[OPTION...] OUT SOURCE",
		"Make the image file OUT from SOURCE:\n"
		"  docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]   an image in a registry\n"
		"  podman:NAME   docker-daemon:NAME            in an engine's store\n"
		"  oci:DIR[:NAME]   oci-archive:FILE[:NAME]   docker-archive:FILE[:NAME]\n"
		"  tar:FILE   dir:PATH                         a root file system\n"
		"  FILE   DIRECTORY   - (standard input)       whichever of these it is",
		2, 2,
		{"firn build tool.sqfs docker-archive:tool.tar",
		 "docker save lab/tool | firn build tool.sqfs -",
		 "firn build --compress zstd:15 paper.sqfs podman:localhost/lab/paper"}},
	[VERB_PULL] = {
		"pull", "[OPTION...] [HOST[:PORT]/]NAME[:TAG|@DIGEST] [OUT]",
		"Fetch an image from a registry (docker.io, if no other is named) into OUT;\n"
		"without OUT into NAME_TAG.sqfs.",
		1, 2,
		{"firn pull debian:12", "firn pull registry.example.org/lab/tool:1.4 tool.sqfs",
		 "firn pull --platform linux/arm64 alpine alpine-arm64.sqfs"}},
	[VERB_VERIFY] = {
		"verify", "[OPTION...] IMAGE",
		"Read all of IMAGE and compare it with what it says of itself.", 1, 1,
		{"firn verify debian_12.sqfs", "firn verify --rebuild debian_12.sqfs"}},
	[VERB_CACHE] = {
		"cache", "[OPTION...] list|gc",
		"Show or shrink the cache of fetched layers.", 1, 1,
		{"firn cache list", "firn cache gc --keep 20G"}},
};
// clang-format on

void options_help(enum verb verb)
{
	printf("usage: firn %s %s\n%s\n\n", verbs[verb].name, verbs[verb].usage, verbs[verb].help);
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].verbs & 1 << verb)
			usage_option(stdout, table[i].letter, table[i].name, table[i].value,
				     table[i].help);
	usage_examples(stdout, verbs[verb].example);
}

static int take_block_size(struct options *options, const char *text, struct err *err)
{
	uint64_t size;

	if (size_parse(text, &size) < 0 || size < 4096 || size > 1 << 20 ||
	    (size & (size - 1)) != 0)
		return err_set(err, "--block-size is a power of two from 4K to 1M, not '%s'", text);
	options->build.codec.block_size = (uint32_t)size;
	return 0;
}

static int take_option(struct options *options, enum option_id option, const char *value,
		       struct err *err)
{
	uint64_t number;

	switch (option) {
	case OPTION_PLATFORM:
		return platform_parse(value, &options->platform, err);
	case OPTION_COMPRESS:
		return codec_parse(value, &options->build.codec, err);
	case OPTION_BLOCK_SIZE:
		return take_block_size(options, value, err);
	case OPTION_JOBS:
		if (number_parse(value, 1024, &number) < 0 || number < 1)
			return err_set(err, "--jobs is a number from 1 to 1024, not '%s'", value);
		options->jobs = (unsigned)number;
		return 0;
	case OPTION_KEEP:
		options->has_keep = true;
		return size_parse(value, &options->keep) < 0
			       ? err_set(err, "--keep is a size like 10G, not '%s'", value)
			       : 0;
	case OPTION_ALL_ROOT:
		options->build.all_root = true;
		return 0;
	case OPTION_FORCE:
		options->force = true;
		return 0;
	case OPTION_NO_CACHE:
		options->no_cache = true;
		return 0;
	case OPTION_REBUILD:
		options->rebuild = true;
		return 0;
	case OPTION_FROM:
		options->from = value;
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_CONFIG:
		options->config = value;
		return 0;
	case OPTION_QUIET:
		options->level = LOG_QUIET;
		return 0;
	case OPTION_VERBOSE:
		options->level = options->level < LOG_VERBOSE ? LOG_VERBOSE : LOG_DEBUG;
		return 0;
	case OPTION_HELP:
	case OPTIONS:
		break;
	}
	options->help = true;
	return 0;
}

static int take_epoch(struct options *options, struct err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t value;

	if (!text || !*text)
		return 0;
	if (number_parse(text, UINT32_MAX, &value) < 0)
		return err_set(
			err, "SOURCE_DATE_EPOCH is a number of seconds up to 4294967295, not '%s'",
			text);
	options->build.has_epoch = true;
	options->build.epoch = (uint32_t)value;
	return 0;
}

int options_read_conf(const struct options *options, struct conf **out, struct err *err)
{
	auto_conf *conf = NULL;
	const char *words[OPTIONS + 2] = {verbs[options->verb].name};
	size_t count = 1;

	_Static_assert(OPTIONS <= 32, "a bit for each option");
	if (conf_read(options->config, &conf, err) < 0)
		return -1;
	for (size_t i = 0; i < OPTIONS; i++)
		if (options->given & 1u << i)
			words[count++] = table[i].name;
	if (conf_check(conf, words, err) < 0)
		return -1;
	*out = take_ptr(&conf);
	return 0;
}

/* @dashes before the @len bytes of @name. */
static int refuse(enum verb verb, const char *dashes, const char *name, size_t len, struct err *err)
{
	const char *advice = foreign_build_option(name, len);
	struct nearest nearest = {.word = name, .len = len};

	if (advice)
		return err_set(err, "firn %s has no option '%s%.*s'; %s", verbs[verb].name, dashes,
			       (int)len, name, advice);
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].verbs & 1 << verb)
			nearest_try(&nearest, table[i].name);
	if (nearest.best)
		return err_set(err,
			       "unknown option '%s%.*s'; did you mean '--%s'? see 'firn %s --help'",
			       dashes, (int)len, name, nearest.best, verbs[verb].name);
	return err_set(err, "unknown option '%s%.*s'; see 'firn %s --help'", dashes, (int)len, name,
		       verbs[verb].name);
}

static int find_option(enum verb verb, const char *name, size_t len)
{
	for (int i = 0; i < OPTIONS; i++)
		if (table[i].verbs & 1 << verb && strlen(table[i].name) == len &&
		    strncmp(table[i].name, name, len) == 0)
			return i;
	return -1;
}

static int find_letter(enum verb verb, char letter)
{
	for (int i = 0; i < OPTIONS; i++)
		if (table[i].verbs & 1 << verb && table[i].letter == letter)
			return i;
	return -1;
}

static int take(struct options *options, int option, const char *value, struct err *err)
{
	options->given |= 1u << option;
	return take_option(options, (enum option_id)option, value, err);
}

/* "--name", "--name=value" or "--name value". Returns the words used, or -1. */
static int take_long(struct options *options, char **argv, struct err *err)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");
	int option = find_option(options->verb, name, len);
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	int used = 1;

	if (option < 0)
		return refuse(options->verb, "--", name, len, err);
	if (!table[option].value && value)
		return err_set(err, "option '--%s' takes no value", table[option].name);
	if (table[option].value && !value) {
		value = argv[1];
		used = 2;
	}
	if (table[option].value && !value)
		return err_set(err, "option '--%s' needs a value: %s", table[option].name,
			       table[option].value);
	return take(options, option, value, err) < 0 ? -1 : used;
}

/* "-vv", "-c value" or "-cvalue". Returns the words used, or -1. */
static int take_short(struct options *options, char **argv, struct err *err)
{
	for (const char *letter = argv[0] + 1; *letter; letter++) {
		int option = find_letter(options->verb, *letter);
		const char *value = letter[1] ? letter + 1 : argv[1];

		if (option < 0)
			return refuse(options->verb, "-", letter, 1, err);
		if (table[option].value && !value)
			return err_set(err, "option '-%c' needs a value: %s", *letter,
				       table[option].value);
		if (take(options, option, table[option].value ? value : NULL, err) < 0)
			return -1;
		if (table[option].value)
			return letter[1] ? 1 : 2;
	}
	return 1;
}

/* Options may stand behind operands; these are moved to the front of @argv. */
static int read_words(struct options *options, char **argv, struct err *err)
{
	char **at = argv;

	options->operand = argv;
	while (*at && strcmp(*at, "--") != 0) {
		int used = 1;

		if (at[0][0] != '-' || !at[0][1])
			options->operand[options->count++] = *at;
		else
			used = at[0][1] == '-' ? take_long(options, at, err)
					       : take_short(options, at, err);
		if (used < 0)
			return -1;
		at += used;
		if (options->help)
			return 0;
	}
	if (*at)
		at++;
	while (*at)
		options->operand[options->count++] = *at++;
	options->operand[options->count] = NULL;
	return 0;
}

/* A word for standard output elsewhere; an image is a file that is written here and there. */
static int check_out(const struct options *options, struct err *err)
{
	const char *out = options->verb == VERB_BUILD && options->count == 2  ? options->operand[0]
			  : options->verb == VERB_PULL && options->count == 2 ? options->operand[1]
									      : NULL;

	return out && strcmp(out, "-") == 0
		       ? err_set(err, "an image is not written to standard output; name a file "
				      "('./-' is one)")
		       : 0;
}

int options_read(enum verb verb, int argc, char **argv, struct options *out, struct err *err)
{
	(void)argc; /* argv ends with NULL */
	*out = (struct options){.verb = verb,
				.jobs = build_default_jobs(),
				.build.codec.block_size = 128 << 10};
	if (codec_parse("zstd", &out->build.codec, err) < 0 ||
	    platform_parse(NULL, &out->platform, err) < 0 || take_epoch(out, err) < 0 ||
	    read_words(out, argv, err) < 0)
		return -1;
	if (out->help)
		return 0;
	if ((verb == VERB_BUILD && foreign_build(out->operand, out->count, err) < 0) ||
	    (verb == VERB_PULL && foreign_pull(out->operand, out->count, err) < 0))
		return -1;
	if (check_out(out, err) < 0)
		return -1;
	if (out->count < verbs[verb].min || out->count > verbs[verb].max)
		return err_set(err, "usage: firn %s %s", verbs[verb].name, verbs[verb].usage);
	return 0;
}
