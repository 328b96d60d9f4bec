/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/inspect.h"

#include "lib/json.h"
#include "lib/log.h"
#include "runner/content.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { LABELS_MAX = 1 << 20 };

#define LABELS_PATH "/.singularity.d/labels.json"

/* Where facts go: lines "name  value", or one JSON object. */
struct report {
	FILE *out;
	bool json;
	bool begun; /* a member stands before */
};

/* A value comes from a stranger's image: it stays on its line and cannot drive the terminal. */
static void put_printable(const struct report *to, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 127 || *c == '\\')
			(void)fprintf(to->out, "\\%03o", *c);
		else
			(void)fputc(*c, to->out);
	}
}

static void put_name(struct report *to, const char *name)
{
	char spoken[32];

	if (to->json) {
		(void)fprintf(to->out, "%s\n  \"%s\": ", to->begun ? "," : "", name);
		to->begun = true;
		return;
	}
	(void)snprintf(spoken, sizeof(spoken), "%s", name);
	for (char *c = spoken; *c; c++)
		if (*c == '_')
			*c = ' ';
	(void)fprintf(to->out, "%-16s ", spoken);
}

static void put_value(const struct report *to, const char *text)
{
	if (to->json)
		json_write_string(to->out, text);
	else
		put_printable(to, text);
}

static void put_text(struct report *to, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	put_name(to, name);
	put_value(to, text);
	if (!to->json)
		(void)fputc('\n', to->out);
}

static void put_number(struct report *to, const char *name, uint64_t number)
{
	put_name(to, name);
	(void)fprintf(to->out, "%" PRIu64 "%s", number, to->json ? "" : "\n");
}

/* Bytes, and the same in words for people. */
static void put_size(struct report *to, const char *name, uint64_t size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double amount = (double)size / 1024;
	size_t unit = 0;

	if (to->json || size < 1024) {
		put_number(to, name, size);
		return;
	}
	while (amount >= 1024 && unit + 1 < COUNT_OF(units)) {
		amount /= 1024;
		unit++;
	}
	put_name(to, name);
	(void)fprintf(to->out, "%" PRIu64 " (%.*f %s)\n", size, amount < 10 ? 1 : 0, amount, units[unit]);
}

static void put_flag(struct report *to, const char *name, bool value)
{
	put_name(to, name);
	(void)fputs(to->json ? (value ? "true" : "false") : (value ? "yes\n" : "no\n"), to->out);
}

static void put_time(struct report *to, const char *name, time_t when)
{
	char text[32];
	struct tm utc;

	if (gmtime_r(&when, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		put_text(to, name, text);
}

/* Words of a command: on one line, each in quotes so that blanks can be told. */
static void put_words(struct report *to, const char *name, char *const *word)
{
	if (!word || !*word)
		return;
	put_name(to, name);
	(void)fputs(to->json ? "[" : "", to->out);
	for (char *const *at = word; *at; at++) {
		if (to->json) {
			(void)fputs(at == word ? "" : ", ", to->out);
			json_write_string(to->out, *at);
			continue;
		}
		(void)fprintf(to->out, "%s'", at == word ? "" : " ");
		put_printable(to, *at);
		(void)fputc('\'', to->out);
	}
	(void)fputs(to->json ? "]" : "\n", to->out);
}

/* KEY=VALUE items: a list in JSON, else one line for each. */
static void put_pairs(struct report *to, const char *name, char *const *pair)
{
	if (!pair || !*pair)
		return;
	if (!to->json) {
		for (; *pair; pair++)
			put_text(to, name, *pair);
		return;
	}
	put_name(to, name);
	(void)fputc('[', to->out);
	for (char *const *at = pair; *at; at++) {
		(void)fprintf(to->out, "%s\n    ", at == pair ? "" : ",");
		json_write_string(to->out, *at);
	}
	(void)fputs("\n  ]", to->out);
}

static void tell_squashfs(struct report *to, const struct content *content)
{
	const struct squashfs_info *info = squashfs_info(content->squashfs);
	const struct image *image = content->image;

	put_text(to, "machine", image->machine);
	put_number(to, "offset", image->offset);
	put_size(to, "file_size", (uint64_t)image->stat.st_size);
	put_size(to, "bytes_used", info->bytes_used);
	put_text(to, "compression", squashfs_compression_name(info->compression));
	put_size(to, "block_size", info->block_size);
	put_number(to, "inodes", info->inode_count);
	put_time(to, "created", (time_t)info->created);
	put_flag(to, "xattrs", info->has_xattrs);
}

static void tell_config(struct report *to, const struct oci_config *config)
{
	put_text(to, "architecture", config->architecture);
	put_text(to, "os", config->os);
	put_text(to, "config_created", config->created);
	put_text(to, "user", config->user);
	put_text(to, "workdir", config->workdir);
	put_words(to, "entrypoint", config->entrypoint);
	put_words(to, "cmd", config->cmd);
	put_pairs(to, "env", config->env);
	put_pairs(to, "labels", config->labels);
}

/* The members of a flat object of strings as KEY=VALUE items. NULL without memory. */
static char **pairs_of(const struct json *object)
{
	size_t count = 0;
	char **pairs;

	for (const struct json *child = object->child; child; child = child->next)
		count++;
	pairs = calloc(count + 1, sizeof(*pairs));
	count = 0;
	for (const struct json *child = object->child; pairs && child; child = child->next)
		if (child->key && json_text(child) &&
		    asprintf(&pairs[count], "%s=%s", child->key, child->text) >= 0)
			count++;
	if (pairs)
		pairs[count] = NULL;
	return pairs;
}

/* What Apptainer writes into its images. */
static int tell_labels(struct report *to, struct content *content, struct err *err)
{
	auto_json *labels = NULL;
	auto_free char *text = NULL;
	char **pairs;
	size_t size = 0;
	int found = content_read(content, LABELS_PATH, LABELS_MAX, &text, &size, err);

	if (found <= 0)
		return found;
	if (json_parse(text, size, &labels, err) < 0)
		return err_aim(err, "cannot read " LABELS_PATH " of '%s'", content->image->path);
	pairs = pairs_of(labels);
	if (!pairs)
		return err_sys(err, "cannot read " LABELS_PATH);
	put_pairs(to, "apptainer_labels", pairs);
	for (char **pair = pairs; *pair; pair++)
		free(*pair);
	free(pairs);
	return 0;
}

static int tell(struct report *to, struct content *content, struct err *err)
{
	auto_oci_config *config = NULL;
	int result;

	put_text(to, "image", content->image->path);
	put_text(to, "kind", image_kind_name(content->image->kind));
	if (content->squashfs)
		tell_squashfs(to, content);
	result = content_read_config(content, &config, err);
	if (config)
		tell_config(to, config);
	return result < 0 ? -1 : tell_labels(to, content, err);
}

static int inspect(const char *path, bool json, struct err *err)
{
	struct report report = {.out = stdout, .json = json};
	auto_conf *conf = conf_new();
	auto_image *image = NULL;
	auto_content *content = NULL;
	int result;

	if (!conf)
		return err_sys(err, "cannot inspect '%s'", path);
	if (image_open(path, &image, err) < 0 || content_open(image, conf, &content, err) < 0)
		return -1;
	if (json)
		(void)fputc('{', stdout);
	result = tell(&report, content, err);
	if (json)
		(void)fputs("\n}\n", stdout);
	return result;
}

static int help(void)
{
	(void)fputs("usage: firn inspect [--json] IMAGE\n"
		    "Show what IMAGE is and says of itself.\n\n"
		    "      --json    as one JSON object\n"
		    "  -h, --help    this help\n",
		    stdout);
	return 0;
}

static int complain(const char *what, const char *word)
{
	struct err err;

	(void)err_set(&err, "%s '%s'", what, word); /* makes the word printable */
	log_error("%s; see 'firn inspect --help'", err.text);
	return EXIT_FIRN_FAILED;
}

int inspect_main(int argc, char **argv)
{
	bool json = false;
	struct err err;

	(void)argc; /* argv ends with NULL */
	for (; *argv && argv[0][0] == '-' && argv[0][1]; argv++) {
		if (strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return help();
		if (strcmp(*argv, "--json") != 0)
			return complain("unknown option", *argv);
		json = true;
	}
	if (!*argv) {
		log_error("no image named; see 'firn inspect --help'");
		return EXIT_FIRN_FAILED;
	}
	if (argv[1])
		return complain("one image at a time, not also", argv[1]);
	if (inspect(*argv, json, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_FIRN_FAILED;
	}
	return 0;
}
