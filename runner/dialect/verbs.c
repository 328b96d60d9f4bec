/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The words of pull, build, inspect, cache, verify and run-help: of Apptainer 1.4
 * (cmd/internal/cli/pull.go, build.go, inspect.go, cache_*.go, verify.go).
 */
#include "lib/own.h"
#include "runner/dialect/private.h"

#include <string.h>

enum {
	PULL = 1 << DIALECT_PULL,
	BUILD = 1 << DIALECT_BUILD,
	MAKE = PULL | BUILD,
	INSPECT = 1 << DIALECT_INSPECT,
	CACHE = 1 << DIALECT_CACHE,
	VERIFY = 1 << DIALECT_VERIFY,
	RUN_HELP = 1 << DIALECT_RUN_HELP,
	ALL = MAKE | INSPECT | CACHE | VERIFY | RUN_HELP,
};

/* The same word of firn's. */
static int take_same(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;
	char word[40];

	(void)snprintf(word, sizeof(word), "--%s", row->name);
	speech->parts = true;
	return dialect_say(&speech->options, word, value, err);
}

static int take_no_cache(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	(void)row;
	return dialect_say(&speech->options, "--no-cache", value, err);
}

static int take_json(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	(void)row;
	speech->parts = speech->parts || strcmp(row->name, "all") == 0;
	return dialect_say(&speech->options, "--json", value, err);
}

static int set(struct speech *speech, const char *name, const char *value, struct err *err)
{
	return words_print(&speech->to->set, "%s=%s", name, value) < 0
		       ? err_sys(err, "cannot take '%s'", value)
		       : 0;
}

static int take_tmpdir(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return set(to, "TMPDIR", value, err);
}

static int take_authfile(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return set(to, "REGISTRY_AUTH_FILE", value, err);
}

#define FLAG(field) CLI_FLAG(struct speech, field)
#define TEXT(field) CLI_TEXT(struct speech, field)
#define NOT(why) dialect_refuse, 0, "not offered: " why
#define NOTHING(why) dialect_no_effect, 0, "no effect: " why

#define DEFINITIONS "definition files are not in this version"
#define KEYS "images have no signatures by keys"
#define LOGIN "log in with docker, podman or skopeo, whose credentials are read"
#define LUKS "images are not encrypted"
#define ONE_FILE "an image is one file that stays as it is"
#define PLAIN "firn.conf says which registries are without TLS: [registry \"HOST\"] insecure = yes"
#define SIGNED "images have no signatures by keys"
#define TESTS "there is no test section to run"

// clang-format off
static const struct cli_option rows[] = {
	{"force", 'F', NULL, MAKE, take_same, 0, "replace the file if it is an image"},
	{"name", 0, "FILE", PULL, TEXT(name), "the file to write"},
	{"dir", 0, "DIR", PULL, TEXT(dir), "where to write it"},
	{"arch", 0, "ARCH", MAKE, TEXT(arch), "which of an index' images"},
	{"arch-variant", 0, "VARIANT", MAKE, TEXT(variant), "and of its variants"},
	{"disable-cache", 0, NULL, MAKE, take_no_cache, 0,
	 "neither read nor fill the cache of layers"},
	{"authfile", 0, "FILE", MAKE, take_authfile, 0, "credentials for registries"},
	{"tmpdir", 0, "DIR", MAKE, take_tmpdir, 0, "where contents are kept meanwhile"},
	{"allow-unsigned", 'U', NULL, PULL, NOTHING(SIGNED)},
	{"allow-unauthenticated", 0, NULL, PULL, NOTHING(SIGNED)},
	{"no-cleanup", 0, NULL, MAKE, NOTHING("nothing is left behind")},
	{"fakeroot", 'f', NULL, BUILD, NOTHING("building needs no root")},
	{"fix-perms", 0, NULL, BUILD, NOTHING("whoever runs an image may read all of it")},
	{"ignore-fakeroot-command", 0, NULL, BUILD, NOTHING("that command is never used")},
	{"ignore-subuid", 0, NULL, BUILD, NOTHING("/etc/subuid is never used")},
	{"ignore-userns", 0, NULL, BUILD, NOTHING("building needs no namespaces")},
	{"notest", 'T', NULL, BUILD, NOTHING(TESTS)},
	{"userns", 0, NULL, BUILD, NOTHING("no setuid program is used")},
	{"warn-unused-build-args", 0, NULL, BUILD, NOTHING("there are none")},
	{"writable-tmpfs", 0, NULL, BUILD, NOTHING(TESTS)},
	{"bind", 'B', "SPEC", BUILD, NOT(DEFINITIONS)},
	{"build-arg", 0, "NAME=VALUE", BUILD, NOT(DEFINITIONS)},
	{"build-arg-file", 0, "FILE", BUILD, NOT(DEFINITIONS)},
	{"docker-host", 0, "URL", MAKE,
	 NOT("'docker-daemon:NAME' asks docker, which knows its host")},
	{"docker-login", 0, NULL, MAKE, NOT(LOGIN)},
	{"docker-password", 0, "TEXT", MAKE, NOT(LOGIN)},
	{"docker-username", 0, "TEXT", MAKE, NOT(LOGIN)},
	{"encrypt", 'e', NULL, BUILD, NOT(LUKS)},
	{"keep-layers", 0, NULL, PULL, NOT(ONE_FILE)},
	{"library", 0, "URL", MAKE, NOT("there is no library://")},
	{"mksquashfs-args", 0, "TEXT", MAKE,
	 NOT("'firn build --compress' and --block-size say how")},
	{"mount", 0, "SPEC", BUILD, NOT(DEFINITIONS)},
	{"no-https", 0, NULL, MAKE, NOT(PLAIN)},
	{"nohttps", 0, NULL, MAKE, NOT(PLAIN)},
	{"nv", 0, NULL, BUILD, NOT(DEFINITIONS)},
	{"nvccli", 0, NULL, BUILD, NOT(DEFINITIONS)},
	{"oci", 0, NULL, MAKE, NOT("images are run in one way")},
	{"passphrase", 0, NULL, BUILD, NOT(LUKS)},
	{"pem-path", 0, "FILE", BUILD, NOT(LUKS)},
	{"remote", 0, NULL, BUILD, NOT("there is no library://")},
	{"rocm", 0, NULL, BUILD, NOT(DEFINITIONS)},
	{"sandbox", 's', NULL, BUILD, NOT(ONE_FILE "; --overlay keeps changes")},
	{"sandbox", 0, NULL, PULL, NOT(ONE_FILE "; --overlay keeps changes")},
	{"section", 0, "LIST", BUILD, NOT(DEFINITIONS)},
	{"update", 'u', NULL, BUILD, NOT(ONE_FILE "; --overlay keeps changes")},

	{"labels", 'l', NULL, INSPECT, take_same, 0, "its labels, as NAME=VALUE (the default)"},
	{"deffile", 'd', NULL, INSPECT, take_same, 0, "the definition that it was built by"},
	{"runscript", 'r', NULL, INSPECT, take_same, 0, "what run runs"},
	{"startscript", 's', NULL, INSPECT, take_same, 0, "what a service would start"},
	{"test", 't', NULL, INSPECT, take_same, 0, "its test"},
	{"environment", 'e', NULL, INSPECT, take_same, 0, "the scripts that make its environment"},
	{"helpfile", 'H', NULL, INSPECT, take_same, 0, "its help"},
	{"all", 0, NULL, INSPECT, take_json, 0, "all, as one JSON object of firn's"},
	{"json", 0, NULL, BUILD, NOT(DEFINITIONS)},
	{"json", 'j', NULL, INSPECT | VERIFY, take_json, 0, "as one JSON object of firn's"},
	{"list-apps", 0, NULL, INSPECT, NOT("SCIF apps are not in this version")},
	{"app", 0, "NAME", INSPECT | RUN_HELP, NOT("SCIF apps are not in this version")},

	{"force", 'f', NULL, CACHE, FLAG(force), "with clean: do not ask"},
	{"dry-run", 'n', NULL, CACHE, FLAG(dry_run), "with clean: show what there is to remove"},
	{"days", 'D', "N", CACHE,
	 NOT("clean removes all; 'firn cache gc --keep SIZE' what was used longest ago")},
	{"type", 'T', "LIST", CACHE, NOT("the cache holds layers only")},
	{"all", 'a', NULL, CACHE, NOTHING("list shows all")},
	{"verbose", 'v', NULL, CACHE, NOTHING("list shows all")},

	{"all", 'a', NULL, VERIFY, NOTHING("all of an image is read")},
	{"local", 'l', NULL, VERIFY, NOTHING("nothing is fetched")},
	{"certificate", 0, "FILE", VERIFY, NOT(KEYS)},
	{"certificate-intermediates", 0, "FILE", VERIFY, NOT(KEYS)},
	{"certificate-roots", 0, "FILE", VERIFY, NOT(KEYS)},
	{"group-id", 'g', "N", VERIFY, NOT(KEYS)},
	{"groupid", 0, "N", VERIFY, NOT(KEYS)},
	{"id", 0, "N", VERIFY, NOT(KEYS)},
	{"key", 0, "FILE", VERIFY, NOT(KEYS)},
	{"legacy-insecure", 0, NULL, VERIFY, NOT(KEYS)},
	{"ocsp-verify", 0, NULL, VERIFY, NOT(KEYS)},
	{"sif-id", 'i', "N", VERIFY, NOT(KEYS)},
	{"url", 'u', "URL", VERIFY, NOT(KEYS)},
	{"help", 'h', NULL, ALL, NULL, 0, "this help"},
};

#define VERB(verb_, name)                                                                          \
	.verb = name, .bit = 1 << (verb_), .option = rows, .count = COUNT_OF(rows),                \
	.note = dialect_see, .truths = true

const struct cli dialect_builders[] = {
	[DIALECT_PULL] = {
		VERB(DIALECT_PULL, "pull"),
		.usage = "[OPTION...] [FILE] docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]",
		.about =
		    "Fetch an image from a registry into FILE, or NAME_TAG.sif: a squashfs file."},
	[DIALECT_BUILD] = {
		VERB(DIALECT_BUILD, "build"),
		.usage = "[OPTION...] FILE SOURCE",
		.about =
		    "Make the image FILE, a squashfs file, of an image elsewhere, of another\n"
		    "kind, or of a directory."},
	[DIALECT_INSPECT] = {
		VERB(DIALECT_INSPECT, "inspect"),
		.usage = "[OPTION...] IMAGE",
		.about = "Show what IMAGE says of itself."},
	[DIALECT_CACHE] = {
		VERB(DIALECT_CACHE, "cache"),
		.usage = "list|clean [OPTION...]",
		.about = "Show the cache of fetched layers, or empty it."},
	[DIALECT_VERIFY] = {
		VERB(DIALECT_VERIFY, "verify"),
		.usage = "[OPTION...] IMAGE",
		.about =
		    "Read all of IMAGE and compare it with what it says of itself; no keys."},
	[DIALECT_RUN_HELP] = {
		VERB(DIALECT_RUN_HELP, "run-help"),
		.usage = "IMAGE",
		.about = "Show the help of IMAGE."},
};
// clang-format on

_Static_assert(COUNT_OF(rows) <= DIALECT_ROWS_MAX, "a place for each row in struct speech");

static int count(char **operand)
{
	int result = 0;

	while (operand[result])
		result++;
	return result;
}

/* "docker://host/group/name:tag" as "name_tag.sif", "...@sha256:0123" as "name_sha256.0123.sif". */
static char *name_file(const char *source)
{
	const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
	const char *digest = strchr(name, '@');
	size_t len = strcspn(name, ":@");
	const char *tag = name[len] == ':' ? name + len + 1 : "latest";
	char *out = NULL;
	int result;

	if (digest)
		result = asprintf(&out, "%.*s_%.*s.%s.sif", (int)len, name,
				  (int)strcspn(digest + 1, ":"), digest + 1,
				  digest + 1 + strcspn(digest + 1, ":") +
					  (strchr(digest, ':') ? 1 : 0));
	else
		result = asprintf(&out, "%.*s_%s.sif", (int)len, name, tag);
	return result < 0 ? NULL : out;
}

static int say_platform(struct speech *speech, struct err *err)
{
	auto_free char *platform = NULL;

	if (!speech->arch)
		return speech->variant ? err_set(err, "--arch-variant goes with --arch") : 0;
	if (asprintf(&platform, "linux/%s%s%s", speech->arch, speech->variant ? "/" : "",
		     speech->variant ? speech->variant : "") < 0)
		return err_sys(err, "cannot take '%s'", speech->arch);
	return dialect_say(&speech->options, "--platform", platform, err);
}

/* The verb, what was read so far, and the operands. */
static int say_all(struct speech *speech, const char *verb, const char *first, const char *second,
		   struct err *err)
{
	struct words *words = &speech->to->words;

	if (dialect_say(words, verb, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < speech->options.count; i++)
		if (dialect_say(words, speech->options.item[i], NULL, err) < 0)
			return -1;
	if (dialect_say(words, "--", first, err) < 0)
		return -1;
	return second ? dialect_say(words, second, NULL, err) : 0;
}

/*
 * What is no registry's, but firn builds of. Apptainer takes "docker-archive://FILE" as well, which
 * is brought into the other form in place.
 */
static bool is_local(char *source)
{
	static const char *const kinds[] = {"oci:", "oci-archive:", "docker-archive:",
					    "docker-daemon:"};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(source, kinds[i], len) != 0)
			continue;
		if (strncmp(source + len, "//", 2) == 0)
			memmove(source + len, source + len + 2, strlen(source + len + 2) + 1);
		return true;
	}
	return false;
}

static int end_pull(struct speech *speech, char **operand, int words, struct err *err)
{
	char *source = operand[words - 1];
	const char *out;
	auto_free char *file = NULL, *path = NULL;

	if (words > 2)
		return err_set(err, "pull takes a file and an image, not also '%s'", operand[2]);
	out = speech->name ? speech->name : words == 2 ? operand[0] : (file = name_file(source));
	if (!out || (speech->dir && asprintf(&path, "%s/%s", speech->dir, out) < 0))
		return err_sys(err, "cannot name the image file");
	out = path ? path : out;
	return is_local(source) ? say_all(speech, "build", out, source, err)
				: say_all(speech, "pull", source, out, err);
}

static int end_build(struct speech *speech, char **operand, int words, struct err *err)
{
	if (words != 2)
		return err_set(err, "build takes the file to write and its source");
	(void)is_local(operand[1]);
	return say_all(speech, "build", operand[0], operand[1], err);
}

static int end_cache(struct speech *speech, char **operand, struct err *err)
{
	bool clean = strcmp(*operand, "clean") == 0;

	if (!clean && strcmp(*operand, "list") != 0)
		return err_set(err, "cache knows list and clean, not '%s'", *operand);
	if (!clean || speech->dry_run)
		return say_all(speech, "cache", "list", NULL, err);
	if (!speech->force)
		return err_set(err, "cache clean removes all layers and asks nothing: add --force "
				    "(-f); --dry-run (-n) shows them");
	if (dialect_say(&speech->options, "--keep", "0", err) < 0)
		return -1;
	return say_all(speech, "cache", "gc", NULL, err);
}

static int end_inspect(struct speech *speech, char **operand, struct err *err)
{
	if (!speech->parts && dialect_say(&speech->options, "--labels", NULL, err) < 0)
		return -1;
	return say_all(speech, "inspect", *operand, NULL, err);
}

int dialect_end_builder(struct speech *speech, char **operand, struct err *err)
{
	int words = count(operand);

	if (words == 0)
		return err_set(err, "%s needs more words; see '%s %s --help'", speech->cli->verb,
			       speech->cli->who, speech->cli->verb);
	if (words > 1 && speech->verb > DIALECT_BUILD)
		return err_set(err, "'%s' is one word too many", operand[1]);
	if (say_platform(speech, err) < 0)
		return -1;
	if (speech->verb == DIALECT_PULL)
		return end_pull(speech, operand, words, err);
	if (speech->verb == DIALECT_BUILD)
		return end_build(speech, operand, words, err);
	if (speech->verb == DIALECT_CACHE)
		return end_cache(speech, operand, err);
	if (speech->verb == DIALECT_INSPECT)
		return end_inspect(speech, operand, err);
	if (speech->verb == DIALECT_RUN_HELP)
		return dialect_say(&speech->options, "--helpfile", NULL, err) < 0
			       ? -1
			       : say_all(speech, "inspect", *operand, NULL, err);
	if (words_add(&speech->to->warnings,
		      "verify: signatures by keys are not looked at; the image is compared with "
		      "its own record") < 0)
		return err_sys(err, "cannot take '%s'", *operand);
	return say_all(speech, "verify", *operand, NULL, err);
}
