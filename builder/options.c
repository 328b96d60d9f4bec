/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/options.h"

#include "builder/foreign.h"
#include "lib/cli/options.h"
#include "lib/size.h"

enum { OPERANDS_MAX = 10000 };
enum { FOR_BUILD = 1 << VERB_BUILD, FOR_PULL = 1 << VERB_PULL, FOR_VERIFY = 1 << VERB_VERIFY,
       FOR_CACHE = 1 << VERB_CACHE, FOR_IMAGES = 1 << VERB_IMAGES,
       FOR_BUILDS = FOR_BUILD | FOR_PULL, FOR_ALL = 31 };

static int take_platform(void *to, const struct cli_option *option, const char *value,
			 struct err *err)
{
	struct options *options = to;

	(void)option;
	return platform_parse(value, &options->platform, err);
}

static int take_compress(void *to, const struct cli_option *option, const char *value,
			 struct err *err)
{
	struct options *options = to;

	(void)option;
	return codec_parse(value, &options->build.codec, err);
}

static int take_block_size(void *to, const struct cli_option *option, const char *value,
			   struct err *err)
{
	struct options *options = to;
	uint64_t size;

	(void)option;
	if (size_parse(value, &size) < 0 || size < 4096 || size > 1 << 20 ||
	    (size & (size - 1)) != 0)
		return err_set(err, "--block-size is a power of two from 4K to 1M, not '%s'",
			       value);
	options->build.codec.block_size = (uint32_t)size;
	return 0;
}

static int take_jobs(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct options *options = to;
	uint64_t number;

	(void)option;
	if (number_parse(value, 1024, &number) < 0 || number < 1)
		return err_set(err, "--jobs is a number from 1 to 1024, not '%s'", value);
	options->jobs = (unsigned)number;
	return 0;
}

static int take_keep(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct options *options = to;

	(void)option;
	options->has_keep = true;
	if (size_parse(value, &options->keep) < 0)
		return err_set(err, "--keep is a size like 10G, not '%s'", value);
	return 0;
}

/* "90d", "12h": days or hours. */
static int take_older(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct options *options = to;
	size_t len = strlen(value);
	uint64_t number, unit = len && value[len - 1] == 'd' ? 86400 : 3600;
	auto_free char *digits = strndup(value, len ? len - 1 : 0);

	(void)option;
	if (!digits || !len || !strchr("dh", value[len - 1]) ||
	    number_parse(digits, 100000, &number) < 0)
		return err_set(err, "--older is a time like 90d or 12h, not '%s'", value);
	options->has_older = true;
	options->older = number * unit;
	return 0;
}

#define FLAG(field) CLI_FLAG(struct options, field)
#define TEXT(field) CLI_TEXT(struct options, field)

// clang-format off
static const struct cli_option table[] = {
	{"platform", 0, "OS/ARCH[/VARIANT]", FOR_BUILDS | FOR_VERIFY | FOR_IMAGES,
	 take_platform, 0,
	 "which of an index' images; default: this machine's"},
	{"compress", 'c', "CODEC[:LEVEL]", FOR_BUILDS, take_compress, 0,
	 "zstd (1-22, default 4), gzip (1-9), xz (0-9), lz4 or none"},
	{"block-size", 0, "SIZE", FOR_BUILDS, take_block_size, 0,
	 "bytes, with K or M behind; default 128K"},
	{"jobs", 'j', "N", FOR_BUILDS | FOR_VERIFY, take_jobs, 0,
	 "threads that compress; default: all processors"},
	{"all-root", 0, NULL, FOR_BUILDS, FLAG(build.all_root), "everything belongs to 0:0"},
	{"force", 'f', NULL, FOR_BUILDS, FLAG(force), "replace OUT if it is an image"},
	{"no-cache", 0, NULL, FOR_BUILDS | FOR_VERIFY, FLAG(no_cache),
	 "neither read nor fill the cache of layers"},
	{"rebuild", 0, NULL, FOR_VERIFY, FLAG(rebuild),
	 "build again from the recorded source, and compare"},
	{"from", 0, "SOURCE", FOR_VERIFY, TEXT(from), "with --rebuild: build from this instead"},
	{"keep", 0, "SIZE", FOR_CACHE | FOR_IMAGES, take_keep, 0,
	 "gc: remove what was used longest ago until SIZE is left"},
	{"older", 0, "DAYSd", FOR_IMAGES, take_older, 0,
	 "gc: remove what was not used for so long, as 90d"},
	{"offline", 0, NULL, FOR_IMAGES, FLAG(offline),
	 "get: ask no registry; take what the name meant last"},
	{"json", 0, NULL, FOR_ALL, FLAG(json), "the result as one JSON object on standard output"},
	{"config", 0, "FILE", FOR_ALL, TEXT(config), "a firn.conf to read after the site's"},
	{"quiet", 'q', NULL, FOR_ALL, cli_take_quiet, offsetof(struct options, level),
	 "errors only"},
	{"verbose", 'v', NULL, FOR_ALL, cli_take_verbose, offsetof(struct options, level),
	 "say what is decided; -vv: each step"},
	{"help", 'h', NULL, FOR_ALL, NULL, 0, "this help"},
};
// clang-format on

static int note_given(void *to, const struct cli_option *option, struct err *err)
{
	struct options *options = to;

	_Static_assert(COUNT_OF(table) <= 32, "a bit for each option");
	(void)err;
	options->given |= 1u << (option - table);
	return 0;
}

// clang-format off
#define VERB(verb_, name)                                                                          \
	.verb = name, .bit = 1 << (verb_), .option = table, .count = COUNT_OF(table),              \
	.foreign = foreign_build_option, .note = note_given

static const struct cli verbs[] = {
	[VERB_BUILD] = {
		VERB(VERB_BUILD, "build"),
		.usage = "[OPTION...] OUT SOURCE",
		.about =
		    "Make the image file OUT from SOURCE:\n"
		    "  docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]   an image in a registry\n"
		    "  podman:NAME   docker-daemon:NAME            in an engine's store\n"
		    "  oci:DIR[:NAME]   oci-archive:FILE[:NAME]   docker-archive:FILE[:NAME]\n"
		    "  tar:FILE   dir:PATH                         a root file system\n"
		    "  FILE   DIRECTORY   - (standard input)       whichever of these it is",
		.example = {
			"firn build tool.sqfs docker-archive:tool.tar",
			"docker save lab/tool | firn build tool.sqfs -",
			"firn build --compress zstd:15 paper.sqfs podman:localhost/lab/paper"}},
	[VERB_PULL] = {
		VERB(VERB_PULL, "pull"),
		.usage = "[OPTION...] [HOST[:PORT]/]NAME[:TAG|@DIGEST] [OUT]",
		.about =
		    "Fetch an image from a registry (docker.io, if no other is named) into OUT;\n"
		    "without OUT into NAME_TAG.sqfs.",
		.example = {
			"firn pull debian:12",
			"firn pull registry.example.org/lab/tool:1.4 tool.sqfs",
			"firn pull --platform linux/arm64 alpine alpine-arm64.sqfs"}},
	[VERB_VERIFY] = {
		VERB(VERB_VERIFY, "verify"),
		.usage = "[OPTION...] IMAGE",
		.about = "Read all of IMAGE and compare it with what it says of itself.",
		.example = {"firn verify debian_12.sqfs", "firn verify --rebuild debian_12.sqfs"}},
	[VERB_CACHE] = {
		VERB(VERB_CACHE, "cache"),
		.usage = "[OPTION...] list|gc",
		.about = "Show or shrink the cache of fetched layers.",
		.example = {"firn cache list", "firn cache gc --keep 20G"}},
	[VERB_IMAGES] = {
		VERB(VERB_IMAGES, "images"),
		.usage = "[OPTION...] [list|get NAME|rm NAME...|gc|verify [NAME]]",
		.about =
		    "Show and tend the store: images that are run by registries' names.\n"
		    "get makes the image, if it is not there, and prints its path.",
		.example = {
			"firn images",
			"firn images get debian:12",
			"firn images gc --older 90d --keep 200G"}},
};
// clang-format on

/* How many operands each takes. */
static const struct {
	int min, max;
} operands[] = {
	[VERB_BUILD] = {2, 2},
	[VERB_PULL] = {1, 2},
	[VERB_VERIFY] = {1, 1},
	[VERB_CACHE] = {1, 1},
	[VERB_IMAGES] = {0, OPERANDS_MAX},
};

void options_help(enum verb verb)
{
	cli_help(&verbs[verb], stdout);
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
	const char *words[COUNT_OF(table) + 2] = {verbs[options->verb].verb};
	size_t count = 1;

	if (conf_read(options->config, &conf, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (options->given & 1u << i)
			words[count++] = table[i].name;
	if (conf_check(conf, words, err) < 0)
		return -1;
	*out = take_ptr(&conf);
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

/* @argv, its operands moved to the front. Returns as cli_read() does. */
static int read_words(struct options *options, char **argv, struct err *err)
{
	int result = cli_read(&verbs[options->verb], argv, options, &options->operand, err);

	for (char **at = options->operand; result == 0 && *at; at++)
		options->count++;
	options->help = result == CLI_HELP;
	return result;
}

/* What the operands are. */
static int check_operands(struct options *options, struct err *err)
{
	enum verb verb = options->verb;

	if ((verb == VERB_BUILD && foreign_build(options->operand, options->count, err) < 0) ||
	    (verb == VERB_PULL && foreign_pull(options->operand, options->count, err) < 0) ||
	    check_out(options, err) < 0)
		return -1;
	if (options->count < operands[verb].min || options->count > operands[verb].max)
		return err_set(err, "usage: firn %s %s", verbs[verb].verb, verbs[verb].usage);
	return 0;
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
	return out->help ? 0 : check_operands(out, err);
}
