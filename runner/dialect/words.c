/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The words of exec, run, shell and test, and what becomes of each: names and meanings are of
 * Apptainer 1.4 (cmd/internal/cli/action_flags.go, and its user guide), some of SingularityCE's.
 */
#include "lib/own.h"
#include "runner/dialect/private.h"

#include <string.h>

enum {
	ACT = 1 << DIALECT_EXEC | 1 << DIALECT_RUN | 1 << DIALECT_SHELL | 1 << DIALECT_TEST,
	SHELL = 1 << DIALECT_SHELL,
};

/* Words of firn's that stand for one of Apptainer's: cli_option.field. */
enum { CLEAN_ENV, CONTAIN, NO_HOME, WRITABLE_TMPFS, ROOT, CWD, HOME };
static const char *const firns[] = {
	[CLEAN_ENV] = "--clean-env",
	[CONTAIN] = "--contain",
	[NO_HOME] = "--no-home",
	[WRITABLE_TMPFS] = "--writable-tmpfs",
	[ROOT] = "--root",
	[CWD] = "--cwd",
	[HOME] = "--home",
};

static int take_word(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	speech->contain = speech->contain || row->field == CONTAIN;
	return dialect_say(&speech->options, firns[row->field], value, err);
}

/* --containall and --compat: several of the words at once. */
static int take_several(struct speech *speech, const char *const *names, struct err *err)
{
	const struct cli *cli = speech->cli;

	for (; *names; names++)
		for (size_t i = 0; i < cli->count; i++)
			if (strcmp(cli->option[i].name, *names) == 0 &&
			    cli->option[i].take(speech, &cli->option[i], NULL, err) < 0)
				return -1;
	return 0;
}

static int take_all(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	static const char *const names[] = {"contain", "cleanenv", NULL};

	return take_several(to, names, err) < 0 ? -1 : dialect_warn(to, row, value, err);
}

static int take_compat(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	static const char *const names[] = {"contain", "cleanenv", "writable-tmpfs", "no-umask",
					    NULL};

	return take_several(to, names, err) < 0 ? -1 : dialect_warn(to, row, value, err);
}

static int say_bind(void *arg, const char *bind, struct err *err)
{
	struct speech *speech = arg;

	return dialect_say(&speech->options, "--bind", bind, err);
}

static int take_bind(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return dialect_each_bind(value, say_bind, to, err);
}

/* A variable may hold several, a line each. */
static int take_mount(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	(void)row;
	for (const char *at = value; *at; at += *at == '\n') {
		size_t len = strcspn(at, "\n");
		auto_free char *mount = strndup(at, len);

		if (!mount)
			return err_sys(err, "cannot take '%s'", value);
		if (len > 0 && dialect_say(&speech->options, "--mount", mount, err) < 0)
			return -1;
		at += len;
	}
	return 0;
}

static int say_variable(void *arg, const char *text, struct err *err)
{
	struct speech *speech = arg;
	size_t len = strcspn(text, "=");

	if (text[len] != '=')
		return err_set(err, "'%s' is not of the form NAME=VALUE", text);
	return dialect_set_variable(&speech->from_words, text, len, text + len + 1, err);
}

static int take_env(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return dialect_each_variable(value, say_variable, to, err);
}

static int take_env_file(void *to, const struct cli_option *row, const char *value,
			 struct err *err)
{
	struct speech *speech = to;

	(void)row;
	return dialect_say(&speech->from_files, "--env-file", value, err);
}

static int say_scratch(void *arg, const char *place, struct err *err)
{
	struct speech *speech = arg;

	if (place[0] != '/')
		return err_set(err, "--scratch takes an absolute path, not '%s'", place);
	return words_add(&speech->scratch, place) < 0 ? err_sys(err, "cannot take '%s'", place) : 0;
}

static int take_scratch(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return dialect_each_item(value, say_scratch, to, err);
}

static int say_overlay(void *arg, const char *overlay, struct err *err)
{
	struct speech *speech = arg;
	const char *mode = strrchr(overlay, ':');

	if (speech->overlay)
		return err_set(err, "a second --overlay is not offered: '%s' beside '%s'", overlay,
			       speech->overlay);
	if (mode && strcmp(mode, ":ro") == 0)
		return err_set(err, "--overlay '%s' is not offered: an overlay is a directory that "
				    "keeps writes", overlay);
	if (dialect_say(&speech->options, "--overlay", overlay, err) < 0)
		return -1;
	speech->overlay = speech->options.item[speech->options.count - 1];
	return 0;
}

static int take_overlay(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	(void)row;
	return dialect_each_item(value, say_overlay, to, err);
}

static int say_not_mounted(void *arg, const char *what, struct err *err)
{
	struct speech *speech = arg;

	if (strcmp(what, "hostfs") == 0)
		return 0; /* is never mounted */
	if (strcmp(what, "home") != 0)
		return err_set(err, "--no-mount '%s' is not offered: home can be left out%s", what,
			       strcmp(what, "tmp") == 0
				       ? ", and an empty /tmp be shown by --scratch /tmp"
				       : "");
	return dialect_say(&speech->options, "--no-home", NULL, err);
}

static int take_no_mount(void *to, const struct cli_option *row, const char *value,
			 struct err *err)
{
	(void)row;
	return dialect_each_item(value, say_not_mounted, to, err);
}

static int take_shell(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	(void)row;
	return dialect_say(&speech->options, "--shell", value, err);
}

static int take_umask(void *to, const struct cli_option *row, const char *value, struct err *err)
{
	struct speech *speech = to;

	(void)row;
	(void)value;
	(void)err;
	speech->to->umask = true;
	return 0;
}

/* DIR below --workdir for what is shown at @place, to be made if it is not there. */
static int show_below(struct speech *speech, const char *sub, const char *place, struct err *err)
{
	auto_free char *dir = NULL, *bind = NULL;

	if (asprintf(&dir, "%s/%s", speech->workdir, sub) < 0 ||
	    asprintf(&bind, "%s:%s", dir, place) < 0 ||
	    words_add(&speech->to->folders, dir) < 0)
		return err_sys(err, "cannot take '%s'", speech->workdir);
	return dialect_say(&speech->options, "--bind", bind, err);
}

/* --scratch and --workdir: what the one is depends on the other. */
static int end_places(struct speech *speech, struct err *err)
{
	char *const *place = speech->scratch.item;

	if (speech->workdir && strpbrk(speech->workdir, ":,\\"))
		return err_set(err, "--workdir '%s' must be without ':', ',' and '\\'",
			       speech->workdir);
	if (speech->workdir && !speech->contain && !place &&
	    words_add(&speech->to->notes, "option '--workdir' has no effect: without --contain and "
					  "--scratch nothing is kept there") < 0)
		return err_sys(err, "cannot take '%s'", speech->workdir);
	if (speech->workdir && speech->contain &&
	    (show_below(speech, "tmp", "/tmp", err) < 0 ||
	     show_below(speech, "var_tmp", "/var/tmp", err) < 0))
		return -1;
	if (speech->workdir && place && words_print(&speech->to->folders, "%s/scratch",
						    speech->workdir) < 0)
		return err_sys(err, "cannot take '%s'", speech->workdir);
	for (; place && *place; place++) {
		auto_free char *sub = NULL;

		if (!speech->workdir) {
			if (dialect_say(&speech->options, "--tmpfs", *place, err) < 0)
				return -1;
			continue;
		}
		if (asprintf(&sub, "scratch/%s", strrchr(*place, '/') + 1) < 0)
			return err_sys(err, "cannot take '%s'", *place);
		if (show_below(speech, sub, *place, err) < 0)
			return -1;
	}
	return 0;
}

static int join(struct speech *speech, struct words *more, struct err *err)
{
	for (size_t i = 0; i < more->count; i++)
		if (dialect_say(&speech->options, more->item[i], NULL, err) < 0)
			return -1;
	return 0;
}

/* What is no file, and not meant to be one. */
static int check_image(const char *image, struct err *err)
{
	const char *end = strstr(image, "://");

	/* A registry's: firn finds it, or makes it, in its store. */
	if (strncmp(image, "docker://", 9) == 0)
		return 0;
	if (strncmp(image, "instance://", 11) == 0)
		return err_set(err, "'%s' is not offered: instances are not in this version",
			       image);
	if (end || strncmp(image, "oci:", 4) == 0 || strncmp(image, "oci-archive:", 12) == 0 ||
	    strncmp(image, "docker-archive:", 15) == 0)
		return err_set(err, "'%s' is not a file; pull makes one of it, which is run: pull "
				    "FILE.sif '%s'", image, image);
	return 0;
}

int dialect_end_action(struct speech *speech, char **operand, struct err *err)
{
	static const char test[] = "/.singularity.d/test";
	struct words *words = &speech->to->words;
	bool as_exec = speech->verb == DIALECT_TEST;

	if (!*operand)
		return err_set(err, "no image named; see '%s %s --help'", speech->cli->who,
			       speech->cli->verb);
	if (check_image(*operand, err) < 0 || end_places(speech, err) < 0 ||
	    join(speech, &speech->from_variables, err) < 0 ||
	    join(speech, &speech->from_files, err) < 0 ||
	    join(speech, &speech->from_words, err) < 0 ||
	    dialect_say(words, as_exec ? "exec" : speech->cli->verb, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < speech->options.count; i++)
		if (dialect_say(words, speech->options.item[i], NULL, err) < 0)
			return -1;
	if (dialect_say(words, "--", *operand++, err) < 0 ||
	    (as_exec && dialect_say(words, test, NULL, err) < 0))
		return -1;
	for (; *operand; operand++)
		if (dialect_say(words, *operand, NULL, err) < 0)
			return -1;
	return 0;
}

#define TEXT(field) CLI_TEXT(struct speech, field)
#define NOT(why) dialect_refuse, 0, "not offered: " why
#define NOTHING(why) dialect_no_effect, 0, "no effect: " why
#define CREDENTIALS "what docker, podman or skopeo logged in to is read"
#define WARN(what) dialect_warn, 0, what

#define CAPABILITIES "no program in a container has capabilities of the host's"
#define CGROUPS "limits are the batch system's"
#define DRIVERS                                                                                    \
	"devices in /dev are visible without it, the host's driver libraries are not put into "    \
	"containers"
#define KEYS "encrypted images cannot be read"
#define NETWORK "a container has the host's network"
#define NO_UNPACKING "images are never unpacked"
#define NO_VM "there are no virtual machines"
#define USERNS "it always runs in a user namespace of its own"

// clang-format off
static const struct cli_option rows[] = {
	{"bind", 'B', "SRC[:DST[:ro]],...", ACT, take_bind, 0, "show the host's SRC at DST"},
	{"mount", 0, "type=bind,source=,destination=", ACT, take_mount, 0, "the same in words"},
	{"home", 'H', "SRC[:DST]", ACT, take_word, HOME, "another directory as home"},
	{"no-home", 0, NULL, ACT, take_word, NO_HOME, "do not show the home"},
	{"no-mount", 0, "home,...", ACT, take_no_mount, 0, "do not show the home"},
	{"scratch", 'S', "DST,...", ACT, take_scratch, 0,
	 "an empty directory at DST, in memory or below --workdir"},
	{"workdir", 'W', "DIR", ACT, TEXT(workdir),
	 "where /tmp and /var/tmp of --contain, and --scratch, are kept"},
	{"cwd", 0, "DIR", ACT, take_word, CWD, "start in DIR of the container"},
	{"pwd", 0, "DIR", ACT, take_word, CWD, "the same"},
	{"contain", 'c', NULL, ACT, take_word, CONTAIN,
	 "private /tmp, home and /dev/shm, minimal /dev"},
	{"containall", 'C', NULL, ACT, take_all, 0, "--contain and --cleanenv; no process or IPC "
	 "namespace of its own is made"},
	{"compat", 0, NULL, ACT, take_compat, 0, "--contain, --cleanenv, --writable-tmpfs and "
	 "--no-umask; no process or IPC namespace of its own is made"},
	{"cleanenv", 'e', NULL, ACT, take_word, CLEAN_ENV, "pass none of the host's variables"},
	{"env", 0, "NAME=VALUE,...", ACT, take_env, 0, "set variables"},
	{"env-file", 0, "FILE", ACT, take_env_file, 0, "set variables from lines NAME=VALUE"},
	{"fakeroot", 'f', NULL, ACT, take_word, ROOT, "appear as root (one mapped user)"},
	{"overlay", 'o', "DIR", ACT, take_overlay, 0, "let writes succeed, kept in DIR"},
	{"writable-tmpfs", 0, NULL, ACT, take_word, WRITABLE_TMPFS,
	 "let writes succeed, into memory"},
	{"no-umask", 0, NULL, ACT, take_umask, 0, "umask 0022 instead of the caller's"},
	{"shell", 's', "FILE", SHELL, take_shell, 0, "the shell to run"},

	{"pid", 'p', NULL, ACT, WARN("the host's processes stay visible")},
	{"ipc", 'i', NULL, ACT, WARN("the host's IPC objects stay reachable")},

	{"authfile", 0, "FILE", ACT, NOTHING(CREDENTIALS)},
	{"docker-host", 0, "URL", ACT, NOTHING(CREDENTIALS)},
	{"docker-login", 0, NULL, ACT, NOTHING(CREDENTIALS)},
	{"docker-password", 0, "TEXT", ACT, NOTHING(CREDENTIALS)},
	{"docker-username", 0, "TEXT", ACT, NOTHING(CREDENTIALS)},
	{"disable-cache", 0, NULL, ACT, NOTHING("running an image needs no cache")},
	{"drop-caps", 0, "LIST", ACT, NOTHING("all are dropped")},
	{"ignore-fakeroot-command", 0, NULL, ACT, NOTHING("that command is never used")},
	{"ignore-subuid", 0, NULL, ACT, NOTHING("/etc/subuid is never used")},
	{"no-compat", 0, NULL, ACT, NOTHING("it is so without --compat")},
	{"no-eval", 0, NULL, ACT, NOTHING("values are never evaluated by a shell")},
	{"no-https", 0, NULL, ACT, NOTHING(CREDENTIALS)},
	{"nohttps", 0, NULL, ACT, NOTHING(CREDENTIALS)},
	{"no-init", 0, NULL, ACT, NOTHING("there is no init process")},
	{"no-nv", 0, NULL, ACT, NOTHING("it is so without --nv")},
	{"no-oci", 0, NULL, ACT, NOTHING("it always is so")},
	{"no-pid", 0, NULL, ACT, NOTHING("it always is so")},
	{"no-privs", 0, NULL, ACT, NOTHING("it always is so")},
	{"no-rocm", 0, NULL, ACT, NOTHING("it is so without --rocm")},
	{"no-tmp-sandbox", 0, NULL, ACT, NOTHING(NO_UNPACKING)},
	{"sharens", 0, NULL, ACT, NOTHING("ranks of a job share a container by themselves")},
	{"sif-fuse", 0, NULL, ACT, NOTHING("it always is so")},
	{"tmpdir", 0, "DIR", ACT, NOTHING("running an image needs no such place")},
	{"tmp-sandbox", 0, NULL, ACT, NOTHING(NO_UNPACKING)},
	{"underlay", 0, NULL, ACT, NOTHING("mount points that an image lacks are shown without")},
	{"unsquash", 0, NULL, ACT, NOTHING(NO_UNPACKING)},
	{"userns", 'u', NULL, ACT, NOTHING(USERNS)},
	{"uts", 0, NULL, ACT, NOTHING("the host's name is that of the container")},

	{"add-caps", 0, "LIST", ACT, NOT(CAPABILITIES)},
	{"allow-setuid", 0, NULL, ACT, NOT("setuid programs gain nothing in a container")},
	{"app", 0, "NAME", ACT, NOT("SCIF apps are not in this version")},
	{"apply-cgroups", 0, "FILE", ACT, NOT(CGROUPS)},
	{"blkio-weight", 0, "N", ACT, NOT(CGROUPS)},
	{"blkio-weight-device", 0, "LIST", ACT, NOT(CGROUPS)},
	{"boot", 0, NULL, ACT, NOT("no init process is started in a container")},
	{"cdi-dirs", 0, "LIST", ACT, NOT(DRIVERS)},
	{"containlibs", 0, "LIST", ACT, NOT("write --bind for each file")},
	{"cpu-shares", 0, "N", ACT, NOT(CGROUPS)},
	{"cpus", 0, "N", ACT, NOT(CGROUPS)},
	{"cpuset-cpus", 0, "LIST", ACT, NOT(CGROUPS)},
	{"cpuset-mems", 0, "LIST", ACT, NOT(CGROUPS)},
	{"device", 0, "LIST", ACT, NOT(DRIVERS)},
	{"dmtcp-launch", 0, "NAME", ACT, NOT("there are no checkpoints")},
	{"dmtcp-restart", 0, "NAME", ACT, NOT("there are no checkpoints")},
	{"dns", 0, "LIST", ACT, NOT("the host's /etc/resolv.conf is shown; bind another one")},
	{"fusemount", 0, "SPEC", ACT, NOT("mount it on the host, and bind it")},
	{"hostname", 0, "NAME", ACT, NOT("the host's name is that of the container")},
	{"ignore-userns", 0, NULL, ACT, NOT(USERNS)},
	{"intel-hpu", 0, NULL, ACT, NOT(DRIVERS)},
	{"keep-privs", 0, NULL, ACT, NOT(CAPABILITIES)},
	{"memory", 0, "SIZE", ACT, NOT(CGROUPS)},
	{"memory-reservation", 0, "SIZE", ACT, NOT(CGROUPS)},
	{"memory-swap", 0, "SIZE", ACT, NOT(CGROUPS)},
	{"net", 'n', NULL, ACT, NOT(NETWORK)},
	{"netns-path", 0, "FILE", ACT, NOT(NETWORK)},
	{"network", 0, "LIST", ACT, NOT(NETWORK)},
	{"network-args", 0, "LIST", ACT, NOT(NETWORK)},
	{"no-setgroups", 0, NULL, ACT, NOT("groups stay as the kernel maps them")},
	{"nv", 0, NULL, ACT, NOT(DRIVERS)},
	{"nvccli", 0, NULL, ACT, NOT(DRIVERS)},
	{"oci", 0, NULL, ACT, NOT("images are run in one way")},
	{"oom-kill-disable", 0, NULL, ACT, NOT(CGROUPS)},
	{"passphrase", 0, NULL, ACT, NOT(KEYS)},
	{"pem-path", 0, "FILE", ACT, NOT(KEYS)},
	{"pids-limit", 0, "N", ACT, NOT(CGROUPS)},
	{"rocm", 0, NULL, ACT, NOT(DRIVERS)},
	{"security", 0, "LIST", ACT, NOT("no profile is loaded, nor user or group changed")},
	{"syos", 0, NULL, SHELL, NOT("it is no shell")},
	{"vm", 0, NULL, ACT, NOT(NO_VM)},
	{"vm-cpu", 0, "N", ACT, NOT(NO_VM)},
	{"vm-err", 0, NULL, ACT, NOT(NO_VM)},
	{"vm-ip", 0, "ADDRESS", ACT, NOT(NO_VM)},
	{"vm-ram", 0, "SIZE", ACT, NOT(NO_VM)},
	{"writable", 'w', NULL, ACT,
	 NOT("an image stays as it is; --overlay keeps writes, --writable-tmpfs forgets them")},
	{"help", 'h', NULL, ACT, NULL, 0, "this help"},
};

#define ACTION(verb_, name)                                                                        \
	.verb = name, .bit = 1 << (verb_), .option = rows, .count = COUNT_OF(rows),                \
	.program = true, .note = dialect_see, .truths = true

const struct cli dialect_actions[] = {
	[DIALECT_EXEC] = {
		ACTION(DIALECT_EXEC, "exec"),
		.usage = "[OPTION...] IMAGE COMMAND [ARG...]",
		.about = "Run COMMAND in IMAGE: a SIF file, a squashfs file or a directory."},
	[DIALECT_RUN] = {
		ACTION(DIALECT_RUN, "run"),
		.usage = "[OPTION...] IMAGE [ARG...]",
		.about = "Run the runscript of IMAGE, or its OCI entrypoint and command."},
	[DIALECT_SHELL] = {
		ACTION(DIALECT_SHELL, "shell"),
		.usage = "[OPTION...] IMAGE [ARG...]",
		.about = "Run a shell in IMAGE."},
	[DIALECT_TEST] = {
		ACTION(DIALECT_TEST, "test"),
		.usage = "[OPTION...] IMAGE [ARG...]",
		.about = "Run the test of IMAGE."},
};
// clang-format on

_Static_assert(COUNT_OF(rows) <= DIALECT_ROWS_MAX, "a place for each row in struct speech");
