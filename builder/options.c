/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/options.h"

#include "lib/log.h"
#include "lib/size.h"

#include <getopt.h>
#include <stdio.h>

enum { OPTION_BLOCK_SIZE = 256, OPTION_ALL_ROOT, OPTION_JSON, OPTION_CONFIG, OPTION_REBUILD,
       OPTION_FROM, OPTION_KEEP, OPTION_PLATFORM, OPTION_NO_CACHE };

enum { FOR_BUILD = 1 << VERB_BUILD, FOR_PULL = 1 << VERB_PULL, FOR_VERIFY = 1 << VERB_VERIFY,
       FOR_CACHE = 1 << VERB_CACHE, FOR_BUILDS = FOR_BUILD | FOR_PULL, FOR_ALL = 15 };

// clang-format off
static const struct {
	struct option option;
	int verbs;
	const char *help;
} table[] = {
	{{"platform", required_argument, NULL, OPTION_PLATFORM}, FOR_BUILDS | FOR_VERIFY,
	 "      --platform OS/ARCH[/VARIANT]\n"
	 "                         which of an index' images; default: this machine's"},
	{{"compress", required_argument, NULL, 'c'}, FOR_BUILDS,
	 "  -c, --compress CODEC[:LEVEL]\n"
	 "                         zstd (1-22, default 4), gzip (1-9), xz (0-9), lz4 or none"},
	{{"block-size", required_argument, NULL, OPTION_BLOCK_SIZE}, FOR_BUILDS,
	 "      --block-size SIZE  bytes, with K or M behind; default 128K"},
	{{"jobs", required_argument, NULL, 'j'}, FOR_BUILDS | FOR_VERIFY,
	 "  -j, --jobs N           threads that compress; default: all processors"},
	{{"all-root", no_argument, NULL, OPTION_ALL_ROOT}, FOR_BUILDS,
	 "      --all-root         everything belongs to 0:0"},
	{{"force", no_argument, NULL, 'f'}, FOR_BUILDS,
	 "  -f, --force            replace OUT if it is an image"},
	{{"no-cache", no_argument, NULL, OPTION_NO_CACHE}, FOR_BUILDS | FOR_VERIFY,
	 "      --no-cache         neither read nor fill the cache of layers"},
	{{"rebuild", no_argument, NULL, OPTION_REBUILD}, FOR_VERIFY,
	 "      --rebuild          build again from the recorded source, and compare"},
	{{"from", required_argument, NULL, OPTION_FROM}, FOR_VERIFY,
	 "      --from SOURCE      with --rebuild: build from this instead"},
	{{"keep", required_argument, NULL, OPTION_KEEP}, FOR_CACHE,
	 "      --keep SIZE        gc: remove what was used longest ago until SIZE is left"},
	{{"json", no_argument, NULL, OPTION_JSON}, FOR_ALL,
	 "      --json             the result as one JSON object on standard output"},
	{{"config", required_argument, NULL, OPTION_CONFIG}, FOR_ALL,
	 "      --config FILE      a firn.conf to read after the site's"},
	{{"quiet", no_argument, NULL, 'q'}, FOR_ALL,
	 "  -q, --quiet            errors only"},
	{{"verbose", no_argument, NULL, 'v'}, FOR_ALL,
	 "  -v, --verbose          say what is decided; -vv: each step"},
	{{"help", no_argument, NULL, 'h'}, FOR_ALL,
	 "  -h, --help             this help"},
};

static const struct {
	const char *usage, *help;
	int min, max; /* operands */
} verbs[] = {
	[VERB_BUILD] = {
		"build [OPTION...] OUT SOURCE",
		"Make the image file OUT from SOURCE:\n"
		"  docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]   podman:NAME   docker-daemon:NAME\n"
		"  oci:DIR[:NAME]   oci-archive:FILE[:NAME]   docker-archive:FILE[:NAME]\n"
		"  tar:FILE   dir:PATH   a squashfs, SIF or archive file, a directory\n"
		"  - (standard input)",
		2, 2},
	[VERB_PULL] = {
		"pull [OPTION...] [HOST[:PORT]/]NAME[:TAG|@DIGEST] [OUT]",
		"Fetch an image from a registry (docker.io, if no other is named) into OUT;\n"
		"without OUT into NAME_TAG.sqfs.", 1, 2},
	[VERB_VERIFY] = {
		"verify [OPTION...] IMAGE",
		"Read all of IMAGE and compare it with what it says of itself.", 1, 1},
	[VERB_CACHE] = {
		"cache [OPTION...] list|gc",
		"Show or shrink the cache of fetched layers.", 1, 1},
};
// clang-format on

void options_help(enum verb verb)
{
	printf("usage: firn %s\n%s\n\n", verbs[verb].usage, verbs[verb].help);
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].verbs & 1 << verb)
			printf("%s\n", table[i].help);
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

static int take_option(struct options *options, int option, const char *value, struct err *err)
{
	uint64_t number;

	switch (option) {
	case OPTION_PLATFORM:
		return platform_parse(value, &options->platform, err);
	case 'c':
		return codec_parse(value, &options->build.codec, err);
	case OPTION_BLOCK_SIZE:
		return take_block_size(options, value, err);
	case 'j':
		if (size_parse(value, &number) < 0 || number < 1 || number > 1024)
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
	case 'f':
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
	case 'q':
		options->level = LOG_QUIET;
		return 0;
	case 'v':
		options->level = options->level < LOG_VERBOSE ? LOG_VERBOSE : LOG_DEBUG;
		return 0;
	default:
		options->help = true;
		return 0;
	}
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

static void note_given(struct options *options, int option)
{
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].option.val == option)
			options->given |= 1u << i;
}

int options_read_conf(const struct options *options, struct conf **out, struct err *err)
{
	const char *usage = verbs[options->verb].usage;
	auto_conf *conf = NULL;
	char name[16];
	const char *words[COUNT_OF(table) + 2] = {name};
	size_t count = 1;

	_Static_assert(COUNT_OF(table) <= 32, "a bit for each option");
	if (conf_read(options->config, &conf, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(usage, " "), usage);
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (options->given & 1u << i)
			words[count++] = table[i].option.name;
	if (conf_check(conf, words, err) < 0)
		return -1;
	*out = take_ptr(&conf);
	return 0;
}

int options_read(enum verb verb, int argc, char **argv, struct options *out, struct err *err)
{
	struct option known[COUNT_OF(table) + 1] = {0};
	size_t count = 0;
	int option;

	*out = (struct options){.verb = verb,
				.jobs = build_default_jobs(),
				.build.codec.block_size = 128 << 10};
	if (codec_parse("zstd", &out->build.codec, err) < 0 ||
	    platform_parse(NULL, &out->platform, err) < 0 || take_epoch(out, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].verbs & 1 << verb)
			known[count++] = table[i].option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, verb == VERB_CACHE ? ":qvh" : ":c:j:fqvh", known,
				     NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (option == '?' || option == ':')
			return err_set(err, "%s '%s'; see 'firn %.*s --help'",
				       option == '?' ? "unknown option"
						     : "a value is missing behind",
				       word, (int)strcspn(verbs[verb].usage, " "),
				       verbs[verb].usage);
		note_given(out, option);
		if (take_option(out, option, optarg, err) < 0)
			return -1;
	}
	out->operand = argv + optind;
	out->count = argc - optind;
	if (!out->help && (out->count < verbs[verb].min || out->count > verbs[verb].max))
		return err_set(err, "usage: firn %s", verbs[verb].usage);
	return 0;
}
