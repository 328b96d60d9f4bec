/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/fetch/cache.h"
#include "builder/fetch/reference.h"
#include "builder/foreign.h"
#include "builder/options.h"
#include "builder/output.h"
#include "builder/record/verify.h"
#include "builder/source/json_name.h"
#include "builder/source/tool.h"
#include "builder/store/verb.h"
#include "builder/tar/inflate.h"
#include "lib/cli/called.h"
#include "lib/conf/cache_place.h"
#include "lib/log.h"
#include "lib/size.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>

static int give_up(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_FIRN_FAILED;
}

static void print_json(json_t *json)
{
	(void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	(void)putchar('\n');
	json_decref(json);
}

static void report(const struct options *options, const char *out, const struct built *built)
{
	char size[SIZE_TEXT_SIZE], unpacked[SIZE_TEXT_SIZE];

	if (options->json) {
		print_json(json_pack("{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "image",
				     json_name(out), "sha256", digest_hex(&built->file),
				     "image_digest", built->image.text, "tree_digest",
				     built->tree.text, "size", (json_int_t)built->size, "inodes",
				     (json_int_t)built->inodes, "unpacked_size",
				     (json_int_t)built->data_size, "source",
				     json_name(built->reference)));
		return;
	}
	if (options->level == LOG_QUIET)
		return;
	size_print(built->size, size);
	size_print(built->data_size, unpacked);
	printf("%s: %" PRIu64 " bytes (%s), %" PRIu32 " inodes, %s of files\n", out, built->size,
	       size, built->inodes, unpacked);
	printf("sha256 %s\nimage  %s\ntree   %s\n", digest_hex(&built->file), built->image.text,
	       built->tree.text);
}

static void fill_recipe(const struct options *options, const struct conf *conf,
			const struct cache_place *cache, struct recipe *recipe)
{
	*recipe = (struct recipe){
		.options = options->build,
		.platform = options->platform,
		.limits = {conf->max_entries, conf->max_size, conf->max_ratio, conf->max_memory,
			   NULL},
		.jobs = options->jobs,
		.tool = options->tool,
		.conf = conf,
		.cache = cache->path ? cache : NULL,
		.progress = options->level != LOG_QUIET,
	};
}

/* Only registries' images need a cache, and they do without it where there is no place for one. */
static int find_cache(const struct options *options, const struct conf *conf,
		      struct cache_place *out, struct err *err)
{
	if (options->no_cache)
		return 0;
	if (cache_place_find(conf, out, err) < 0)
		log_info("%s", err->text);
	return 0;
}

/* Whoever builds a SIF elsewhere may take the file for one. */
static void note_name(const char *out)
{
	size_t len = strlen(out);

	if (len > 4 && strcmp(out + len - 4, ".sif") == 0)
		log_note("'%s' becomes a squashfs image, not a SIF; it runs under any name", out);
}

/* Build @source into the file @out. */
static int make_image(const struct options *options, const char *source, const char *out)
{
	auto_conf *conf = NULL;
	auto_output *output = NULL;
	auto_cache_place cache = {0};
	struct recipe recipe;
	struct built built;
	struct err err;
	int result;

	if (options_read_conf(options, &conf, &err) < 0 ||
	    find_cache(options, conf, &cache, &err) < 0 ||
	    output_open(out, options->force, &output, &err) < 0)
		return give_up(&err);
	log_debug("gzip by %s", inflate_gzip_library());
	fill_recipe(options, conf, &cache, &recipe);
	recipe.source = source;
	recipe.out = recipe.leave_out = out;
	note_name(out);
	result = build(&recipe, output_fd(output), &built, &err);
	if (result == 0)
		result = output_publish(output, &err);
	if (result == 0)
		report(options, out, &built);
	free(built.reference);
	return result < 0 ? give_up(&err) : EXIT_SUCCESS;
}

static int verb_build(const struct options *options)
{
	return make_image(options, options->operand[1], options->operand[0]);
}

/* "host/group/name:tag" as "name_tag.sqfs", "name@sha256:0123..." as "name_sha256-0123....sqfs". */
static int default_out(const char *text, char **out, struct err *err)
{
	enum { DIGITS = 12 };
	auto_reference *reference = NULL;
	const char *slash, *name;
	char algorithm[DIGEST_ALGORITHM_SIZE];
	int result;

	if (reference_parse(text, reference_has_host(text) ? NULL : REFERENCE_HUB, &reference,
			    err) < 0)
		return -1;
	slash = strrchr(reference->name, '/');
	name = slash ? slash + 1 : reference->name;
	if (reference->tag)
		result = asprintf(out, "%s_%s.sqfs", name, reference->tag);
	else
		result = asprintf(out, "%s_%s-%.*s.sqfs", name,
				  digest_algorithm(&reference->digest, algorithm), DIGITS,
				  digest_hex(&reference->digest));
	return result < 0 ? err_sys(err, "cannot name the image file") : 0;
}

static int verb_pull(const struct options *options)
{
	const char *name = options->operand[0];
	auto_free char *source = NULL, *out = NULL;
	struct err err;

	if (strncmp(name, "docker://", 9) == 0)
		name += 9;
	if (options->count < 2 && default_out(name, &out, &err) < 0)
		return give_up(&err);
	if (asprintf(&source, "docker://%s", name) < 0) {
		log_error("out of memory");
		return EXIT_FIRN_FAILED;
	}
	return make_image(options, source, out ? out : options->operand[1]);
}

/* Of what does not hold, there is no more to tell than why. */
static int report_failed(const struct options *options, const char *path, const struct err *err)
{
	if (options->json)
		print_json(json_pack("{s:o, s:b, s:o}", "image", json_name(path), "verified", 0,
				     "error", json_name(err->text)));
	return give_up(err);
}

static void report_verified(const struct options *options, const char *path,
			    const struct verified *verified)
{
	if (options->json) {
		print_json(json_pack("{s:o, s:b, s:s, s:s, s:s, s:b, s:b, s:b}", "image",
				     json_name(path), "verified", 1, "sha256",
				     digest_hex(&verified->file), "image_digest",
				     verified->image.text, "tree_digest", verified->tree.text,
				     "digest_recorded", (int)verified->has_origin, "rebuilt",
				     (int)verified->rebuilt, "same_bytes",
				     (int)verified->same_bytes));
		return;
	}
	if (options->level == LOG_QUIET)
		return;
	printf("sha256 %s\n", digest_hex(&verified->file));
	printf("image  %s%s\n", verified->image.text, verified->has_origin ? "  as recorded" : "");
	printf("tree   %s  as recorded\n", verified->tree.text);
	if (verified->rebuilt)
		printf("rebuilt: %s\n", verified->same_bytes
						? "the same bytes"
						: "the same files; another version of firn or of "
						  "the compression's library gave other bytes");
}

static int verb_verify(const struct options *options)
{
	const char *path = options->operand[0];
	auto_conf *conf = NULL;
	auto_cache_place cache = {0};
	struct recipe recipe;
	struct verified verified;
	struct err err;

	if (options->from && !options->rebuild) {
		log_error("--from goes with --rebuild");
		return EXIT_FIRN_FAILED;
	}
	if (options_read_conf(options, &conf, &err) < 0 ||
	    find_cache(options, conf, &cache, &err) < 0)
		return give_up(&err);
	fill_recipe(options, conf, &cache, &recipe);
	if (verify_image(path, &recipe, options->rebuild, options->from, &verified, &err) < 0)
		return report_failed(options, path, &err);
	report_verified(options, path, &verified);
	return EXIT_SUCCESS;
}

static int no_such_work(const char *what, struct err *err)
{
	const char *advice = foreign_cache(what);

	return advice ? err_set(err, "firn cache has no '%s'; %s", what, advice)
		      : err_set(err, "cache knows list and gc, not '%s'", what);
}

static int verb_cache(const struct options *options)
{
	const char *what = options->operand[0];
	auto_conf *conf = NULL;
	auto_cache *cache = NULL;
	auto_cache_place place = {0};
	struct err err;
	int result;

	if (options_read_conf(options, &conf, &err) < 0 ||
	    cache_place_find(conf, &place, &err) < 0 || cache_open(&place, &cache, &err) < 0)
		return give_up(&err);
	if (strcmp(what, "list") == 0)
		result = cache_list(cache, options->json, &err);
	else if (strcmp(what, "gc") == 0 && options->has_keep)
		result = cache_gc(cache, options->keep, options->json, &err);
	else
		result = strcmp(what, "gc") == 0
				 ? err_set(&err, "gc needs --keep SIZE; see 'firn cache --help'")
				 : no_such_work(what, &err);
	return result < 0 ? give_up(&err) : EXIT_SUCCESS;
}

static int verb_images(const struct options *options)
{
	auto_conf *conf = NULL;
	auto_cache_place cache = {0};
	struct recipe recipe;
	struct err err;

	if (options_read_conf(options, &conf, &err) < 0 ||
	    find_cache(options, conf, &cache, &err) < 0)
		return give_up(&err);
	fill_recipe(options, conf, &cache, &recipe);
	return store_verb(options, &recipe, &err) < 0 ? give_up(&err) : EXIT_SUCCESS;
}

// clang-format off
static const struct {
	const char *name;
	enum verb verb;
	int (*main)(const struct options *options);
} verbs[] = {
	{"build", VERB_BUILD, verb_build},
	{"pull", VERB_PULL, verb_pull},
	{"verify", VERB_VERIFY, verb_verify},
	{"cache", VERB_CACHE, verb_cache},
	{"images", VERB_IMAGES, verb_images},
};
// clang-format on

/* Another engine that has the source is started as long as it may gain privileges (tool.h). */
static int start_tool(enum verb verb, const struct options *options, struct tool **tool,
		      struct err *err)
{
	const char *source = verb == VERB_BUILD	   ? options->operand[1]
			     : verb == VERB_VERIFY ? options->from
						   : NULL;

	return source && tool_is_meant(source) ? tool_start(source, tool, err) : 0;
}

static int go(size_t index, int argc, char **argv)
{
	auto_tool *tool = NULL;
	struct options options;
	struct err err;

	if (options_read(verbs[index].verb, argc, argv, &options, &err) < 0)
		return give_up(&err);
	log_set_level(options.level);
	if (options.help) {
		options_help(verbs[index].verb);
		return EXIT_SUCCESS;
	}
	if (start_tool(verbs[index].verb, &options, &tool, &err) < 0)
		return give_up(&err);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_error("cannot give up privileges");
		return EXIT_FIRN_FAILED;
	}
	options.tool = tool;
	return verbs[index].main(&options);
}

/*
 * Started with a standard stream closed, the image would take its number, and what is
 * said would be written into it. The stand-ins fail as a closed stream does, but for the
 * errors': they are the only place to tell of it.
 */
static void occupy_streams(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", modes[fd]);
}

int main(int argc, char **argv)
{
	int status = EXIT_FIRN_FAILED;
	size_t i = 0;

	(void)signal(SIGPIPE,
		     SIG_IGN); /* a helper or a reader that went away is an error to be told */
	(void)signal(SIGCHLD,
		     SIG_DFL); /* or a helper's exit status is lost, if who started us ignored it */
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
	occupy_streams();
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("firn-build %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	while (argc > 1 && i < COUNT_OF(verbs) && strcmp(verbs[i].name, argv[1]) != 0)
		i++;
	if (argc < 2 || i == COUNT_OF(verbs))
		log_error("firn-build knows build, pull, verify, cache and images; see 'firn build "
			  "--help'");
	else
		status = go(i, argc - 2, argv + 2);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("cannot write to standard output");
		status = EXIT_FIRN_FAILED;
	}
	return argc > 0 ? called_status(argv[0], status) : status;
}
