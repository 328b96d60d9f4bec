/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/inspect.h"

#include "lib/cage/cage.h"
#include "lib/cli/options.h"
#include "lib/image/origin.h"
#include "lib/image/seal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/words.h"
#include "runner/ask/hints.h"
#include "runner/foreign.h"
#include "runner/inspect_files.h"
#include "runner/plan/content.h"
#include "runner/report.h"

#include <string.h>
#include <unistd.h>

enum { LABELS_MAX = 1 << 20, PROVENANCE_MAX = 4 << 20, MEMORY_MAX = 256 << 20 };

#define LABELS_PATH "/.singularity.d/labels.json"
#define PROVENANCE_PATH "/.firn/provenance.json"
static void tell_squashfs(struct report *to, const struct content *content)
{
	const struct squashfs_info *info = squashfs_info(content->squashfs);
	const struct image *image = content->image;

	report_text(to, "machine", image->machine);
	report_number(to, "offset", image->offset);
	report_size(to, "file_size", (uint64_t)image->stat.st_size);
	report_size(to, "bytes_used", info->bytes_used);
	report_text(to, "compression", squashfs_compression_name(info->compression));
	report_size(to, "block_size", info->block_size);
	report_number(to, "inodes", info->inode_count);
	report_time(to, "created", (time_t)info->created);
	report_flag(to, "xattrs", info->has_xattrs);
}

static void tell_config(struct report *to, const struct oci_config *config)
{
	report_text(to, "architecture", config->architecture);
	report_text(to, "os", config->os);
	report_text(to, "config_created", config->created);
	report_text(to, "user", config->user);
	report_text(to, "workdir", config->workdir);
	report_words(to, "entrypoint", config->entrypoint);
	report_words(to, "cmd", config->cmd);
	report_list(to, "env", config->env);
	report_list(to, "labels", config->labels);
}

/* The members of a flat object of strings as KEY=VALUE items. Returns 0, or -1 without memory. */
static int add_pairs(struct words *pairs, const struct json *object)
{
	for (const struct json *child = object->child; child; child = child->next)
		if (child->key && json_text(child) &&
		    words_print(pairs, "%s=%s", child->key, child->text) < 0)
			return -1;
	return 0;
}

/* The names of the members of @object. NULL without memory. */
static const char **names_of(const struct json *object)
{
	size_t count = 0;
	const char **name;

	for (const struct json *child = object->child; child; child = child->next)
		count++;
	name = calloc(count + 1, sizeof(*name));
	count = 0;
	for (const struct json *child = object->child; name && child; child = child->next)
		if (child->key)
			name[count++] = child->key;
	return name;
}

/* What only people ask for: running an image does not look at it. */
static int tell_names(struct report *to, const char *name, const struct json *config,
		      const char *key, struct err *err)
{
	const struct json *object = json_get(json_get(config, "config"), key);
	auto_free const char **names = NULL;

	if (!object || object->type == JSON_NULL)
		return 0;
	if (object->type != JSON_OBJECT)
		return err_set(err, "'%s' of the OCI configuration is of the wrong type", key);
	names = names_of(object);
	if (!names)
		return err_sys(err, "cannot read the image");
	report_list(to, name, (char *const *)names);
	return 0;
}

static int tell_expected(struct report *to, struct content *content, const struct conf *conf,
			 struct err *err)
{
	const char *to_write = hints_to_write(conf);
	char hint[160];
	auto_json *config = NULL;
	const char *text;
	size_t size;
	int found = content_config_text(content, &text, &size, err);

	if (found <= 0)
		return found;
	if (json_parse(text, size, &config, err) < 0 ||
	    tell_names(to, "volumes", config, "Volumes", err) < 0)
		return -1;
	(void)snprintf(hint, sizeof(hint), "-B DIR:VOLUME%s%s%s",
		       to_write ? "; if the image has the directory, " : "",
		       to_write ? to_write : "", to_write ? ", too" : "");
	if (!to->json && json_get(json_get(config, "config"), "Volumes"))
		report_text(to, "to write there", hint);
	return tell_names(to, "exposed_ports", config, "ExposedPorts", err);
}

/* What Apptainer writes into its images. */
static int tell_labels(struct report *to, struct content *content, struct err *err)
{
	auto_json *labels = NULL;
	auto_free char *text = NULL;
	auto_words pairs = {0};
	size_t size = 0;
	int found = content_read(content, LABELS_PATH, LABELS_MAX, &text, &size, err);

	if (found <= 0)
		return found;
	if (json_parse(text, size, &labels, err) < 0)
		return err_aim(err, "cannot read " LABELS_PATH " of '%s'", content->image->path);
	if (add_pairs(&pairs, labels) < 0)
		return err_sys(err, "cannot read " LABELS_PATH);
	report_list(to, "apptainer_labels", pairs.item);
	return 0;
}

/* A new list of the strings among the children of @list, or of their member @key. NULL without
 * memory. */
static const char **strings_of(const struct json *list, const char *key)
{
	size_t count = 0;
	const char **text;

	for (const struct json *child = list->child; child; child = child->next)
		count++;
	text = calloc(count + 1, sizeof(*text));
	count = 0;
	for (const struct json *child = list->child; text && child; child = child->next) {
		text[count] = json_text(key ? json_get(child, key) : child);
		if (text[count])
			count++;
	}
	return text;
}

static void tell_member(struct report *to, const char *name, const struct json *object,
			const char *key)
{
	report_text(to, name, json_text(json_get(object, key)));
}

static int tell_strings(struct report *to, const char *name, const struct json *list,
			const char *key, struct err *err)
{
	auto_free const char **text = NULL;

	if (!list)
		return 0;
	text = strings_of(list, key);
	if (!text)
		return err_sys(err, "cannot read the image");
	report_list(to, name, (char *const *)text);
	return 0;
}

/* The codec as --compress takes it. */
static void tell_codec(struct report *to, const struct json *codec)
{
	const char *name = json_text(json_get(codec, "name"));
	const struct json *level = json_get(codec, "level");
	char text[64];

	if (name && level && level->type == JSON_NUMBER) {
		(void)snprintf(text, sizeof(text), "%s:%s", name, level->text);
		report_text(to, "compress", text);
	} else {
		report_text(to, "compress", name);
	}
	tell_member(to, "codec_library", codec, "library");
}

/* What firn build wrote into the image: what it consists of. */
static int tell_provenance(struct report *to, struct content *content, struct err *err)
{
	auto_json *json = NULL;
	auto_free char *text = NULL;
	const struct json *epoch;
	size_t size = 0;
	int found = content_read(content, PROVENANCE_PATH, PROVENANCE_MAX, &text, &size, err);

	if (found <= 0)
		return found;
	if (json_parse(text, size, &json, err) < 0)
		return err_aim(err, "cannot read " PROVENANCE_PATH " of '%s'",
			       content->image->path);
	tell_member(to, "built_by_firn", json, "firn");
	tell_member(to, "tree_digest", json, "tree");
	tell_codec(to, json_get(json, "compression"));
	epoch = json_get(json, "source_date_epoch");
	if (epoch && epoch->type == JSON_NUMBER)
		report_text(to, "source_date_epoch", epoch->text);
	return tell_strings(to, "layers", json_get(json, "layers"), NULL, err);
}

/* What stands behind the squashfs: a hash tree, or where the image was fetched from. */
static int tell_trailer(struct report *to, struct content *content, struct err *err)
{
	const struct image *image = content->image;
	uint64_t end = image->offset + origin_offset(squashfs_info(content->squashfs)->bytes_used);
	auto_json *json = NULL;
	auto_free char *text = NULL;
	size_t size = 0;
	int found;

	report_flag(to, "sealed", seal_is_at(image->fd, end));
	found = origin_read(image->fd, end, &text, &size, err);
	if (found > 0 && json_parse(text, size, &json, err) < 0)
		found = -1;
	if (found <= 0)
		return found < 0 ? err_aim(err, "cannot read the origin of '%s'", image->path) : 0;
	tell_member(to, "reference", json, "reference");
	tell_member(to, "tag", json, "tag");
	tell_member(to, "index_digest", json, "index");
	tell_member(to, "manifest_digest", json, "manifest");
	tell_member(to, "config_digest", json, "config");
	tell_member(to, "image_digest", json, "image");
	return tell_strings(to, "fetched_layers", json_get(json, "layers"), "digest", err);
}

static int tell(struct report *to, struct content *content, const struct conf *conf,
		struct err *err)
{
	auto_oci_config *config = NULL;
	int result;

	report_text(to, "image", content->image->path);
	report_text(to, "kind", image_kind_name(content->image->kind));
	if (content->squashfs) {
		tell_squashfs(to, content);
		if (tell_trailer(to, content, err) < 0)
			return -1;
	}
	if (tell_provenance(to, content, err) < 0)
		return -1;
	result = content_read_config(content, &config, err);
	if (config)
		tell_config(to, config);
	if (result < 0 || tell_expected(to, content, conf, err) < 0)
		return -1;
	if (tell_labels(to, content, err) < 0)
		return -1;
	return inspect_files_tell(to, content, (1U << INSPECT_PARTS) - 1, err);
}

/* The labels alone, of both kinds. */
static int tell_all_labels(struct report *to, struct content *content, struct err *err)
{
	auto_oci_config *config = NULL;

	if (content_read_config(content, &config, err) < 0)
		return -1;
	if (config)
		report_list(to, "labels", config->labels);
	return tell_labels(to, content, err);
}

/* What was asked for alone, as members of JSON. */
static int tell_parts(struct report *to, struct content *content, unsigned parts, struct err *err)
{
	if (parts & INSPECT_LABELS && tell_all_labels(to, content, err) < 0)
		return -1;
	return inspect_files_tell(to, content, parts, err);
}

/* The same for people. */
static int show_parts(struct content *content, unsigned parts, bool tame, struct err *err)
{
	struct report report = {.out = stdout, .bare = true};

	if (parts & INSPECT_LABELS && tell_all_labels(&report, content, err) < 0)
		return -1;
	return inspect_files_show(content, parts, tame, err);
}

/* One whole object, or none: whoever reads it must not find half of one. */
static int tell_json(struct content *content, const struct conf *conf, unsigned parts,
		     struct err *err)
{
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct report report = {.out = out, .json = true};
	int result;

	if (!out)
		return err_sys(err, "cannot inspect '%s'", content->image->path);
	(void)fputc('{', out);
	result = parts ? tell_parts(&report, content, parts, err)
		       : tell(&report, content, conf, err);
	(void)fputs("\n}\n", out);
	if (fclose(out) != 0)
		return err_sys(err, "cannot inspect '%s'", content->image->path);
	if (result == 0)
		(void)fwrite(text, 1, size, stdout);
	return result;
}

static int inspect(const char *path, bool json, unsigned parts, struct err *err)
{
	struct report report = {.out = stdout};
	auto_conf *conf = NULL;
	auto_image *image = NULL;
	auto_content *content = NULL;
	bool tame = isatty(STDOUT_FILENO);

	if (conf_read(NULL, &conf, err) < 0)
		return -1;
	if (image_open(path, conf->require_cage, &image, err) < 0) {
		const char *advice = err->code == ENOENT ? foreign_image(path) : NULL;

		if (!advice && err->code == ENOENT && foreign_reference(path))
			advice = FOREIGN_USE_PULL;
		return advice ? err_set(err, "'%s' is not a file; %s", path, advice) : -1;
	}
	/* A directory is read file by file; of an image file all is open now. */
	if (image->kind != IMAGE_DIRECTORY &&
	    cage_read_only(MEMORY_MAX, conf->require_cage, err) < 0)
		return err_aim(err, "cannot inspect '%s'", path);
	if (content_open(image, conf, &content, err) < 0)
		return -1;
	if (json)
		return tell_json(content, conf, parts, err);
	return parts ? show_parts(content, parts, tame, err) : tell(&report, content, conf, err);
}

struct inspect_asked {
	bool json;
	unsigned parts; /* bits of inspect_files.h */
};

static int take_part(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct inspect_asked *asked = to;

	(void)value;
	(void)err;
	asked->parts |= inspect_part(option->name);
	return 0;
}

static const struct cli_option options[] = {
	{"json", 0, NULL, 1, CLI_FLAG(struct inspect_asked, json), "as one JSON object"},
	{"runscript", 'r', NULL, 1, take_part, 0, "what 'firn run' runs, as it is written"},
	{"startscript", 's', NULL, 1, take_part, 0, "what a service would start"},
	{"test", 't', NULL, 1, take_part, 0, "the image's test"},
	{"helpfile", 'H', NULL, 1, take_part, 0, "its help"},
	{"deffile", 'd', NULL, 1, take_part, 0, "the definition that it was built by"},
	{"environment", 'e', NULL, 1, take_part, 0, "the scripts that make its environment"},
	{"labels", 'l', NULL, 1, take_part, 0, "its labels, as NAME=VALUE"},
	{"help", 'h', NULL, 1, NULL, 0, "this help"},
};

static const struct cli verb = {
	.verb = "inspect",
	.usage = "[OPTION...] IMAGE",
	.about = "Show what IMAGE is and says of itself.",
	.example = {"firn inspect debian_12.sqfs", "firn inspect --runscript app.sif",
		    "firn inspect --json app.sif"},
	.option = options,
	.count = COUNT_OF(options),
	.bit = 1,
	.foreign = foreign_inspect_option,
};

static int give_up(const struct err *err)
{
	log_error("%s", err->text);
	return EXIT_FIRN_FAILED;
}

int inspect_main(int argc, char **argv)
{
	struct inspect_asked asked = {0};
	struct err err;
	int result = cli_read(&verb, argv, &asked, &argv, &err);

	(void)argc; /* argv ends with NULL */
	if (result == CLI_HELP) {
		cli_help(&verb, stdout);
		return EXIT_SUCCESS;
	}
	if (result == 0 && !*argv)
		result = err_set(&err, "no image named; see 'firn inspect --help'");
	if (result == 0 && argv[1])
		result = err_set(&err,
				 "one image at a time, not also '%s'; see 'firn inspect --help'",
				 argv[1]);
	if (result == 0)
		result = inspect(*argv, asked.json, asked.parts, &err);
	return result < 0 ? give_up(&err) : EXIT_SUCCESS;
}
