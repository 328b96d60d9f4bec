/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Variables that stand for options (the flags' EnvKeys in Apptainer 1.4's cmd/internal/cli/), and
 * those that are the container's. APPTAINER_ goes before SINGULARITY_, the command line before
 * both, except that binds and mounts add up.
 */
#include "lib/own.h"
#include "runner/ask/env_file.h"
#include "runner/dialect/private.h"

#include <string.h>

static const char *const prefixes[] = {"APPTAINER", "SINGULARITY"};

enum { PREFIXES = 2, KEY_MAX = 48 };

// clang-format off
static const struct {
	const char *key, *option;
} keys[] = {
	{"BIND", "bind"}, {"BINDPATH", "bind"}, {"MOUNT", "mount"}, {"HOME", "home"},
	{"OVERLAY", "overlay"}, {"OVERLAYIMAGE", "overlay"},
	{"SCRATCH", "scratch"}, {"SCRATCHDIR", "scratch"}, {"WORKDIR", "workdir"},
	{"CWD", "cwd"}, {"TARGET_CWD", "cwd"}, {"PWD", "pwd"}, {"TARGET_PWD", "pwd"},
	{"CONTAIN", "contain"}, {"CONTAINALL", "containall"}, {"COMPAT", "compat"},
	{"CLEANENV", "cleanenv"}, {"ENV_FILE", "env-file"}, {"FAKEROOT", "fakeroot"},
	{"WRITABLE_TMPFS", "writable-tmpfs"}, {"WRITABLE", "writable"},
	{"NO_HOME", "no-home"}, {"NO_MOUNT", "no-mount"}, {"NO_UMASK", "no-umask"},
	{"SHELL", "shell"}, {"APP", "app"}, {"APPNAME", "app"},
	{"PID", "pid"}, {"UNSHARE_PID", "pid"}, {"IPC", "ipc"}, {"UNSHARE_IPC", "ipc"},
	{"NET", "net"}, {"UNSHARE_NET", "net"}, {"UTS", "uts"}, {"UNSHARE_UTS", "uts"},
	{"USERNS", "userns"}, {"UNSHARE_USERNS", "userns"}, {"NETWORK", "network"},
	{"NETWORK_ARGS", "network-args"}, {"NETNS_PATH", "netns-path"}, {"HOSTNAME", "hostname"},
	{"DNS", "dns"}, {"NV", "nv"}, {"NVCCLI", "nvccli"}, {"ROCM", "rocm"},
	{"INTEL_HPU", "intel-hpu"}, {"NO_NV", "no-nv"}, {"NV_OFF", "no-nv"},
	{"NO_ROCM", "no-rocm"}, {"ROCM_OFF", "no-rocm"}, {"CONTAINLIBS", "containlibs"},
	{"FUSESPEC", "fusemount"}, {"BOOT", "boot"}, {"VM", "vm"}, {"VM_RAM", "vm-ram"},
	{"VM_CPU", "vm-cpu"}, {"VM_IP", "vm-ip"}, {"VMERROR", "vm-err"}, {"SYOS", "syos"},
	{"NOSHIMINIT", "no-init"}, {"NO_EVAL", "no-eval"}, {"SECURITY", "security"},
	{"APPLY_CGROUPS", "apply-cgroups"}, {"BLKIO_WEIGHT", "blkio-weight"},
	{"BLKIO_WEIGHT_DEVICE", "blkio-weight-device"}, {"CPU_SHARES", "cpu-shares"},
	{"CPUS", "cpus"}, {"CPUSET_CPUS", "cpuset-cpus"}, {"CPUSET_MEMS", "cpuset-mems"},
	{"MEMORY", "memory"}, {"MEMORY_RESERVATION", "memory-reservation"},
	{"MEMORY_SWAP", "memory-swap"}, {"OOM_KILL_DISABLE", "oom-kill-disable"},
	{"PIDS_LIMIT", "pids-limit"}, {"KEEP_PRIVS", "keep-privs"}, {"NO_PRIVS", "no-privs"},
	{"ADD_CAPS", "add-caps"}, {"DROP_CAPS", "drop-caps"}, {"ALLOW_SETUID", "allow-setuid"},
	{"DMTCP_LAUNCH", "dmtcp-launch"}, {"DMTCP_RESTART", "dmtcp-restart"},
	{"UNSQUASH", "unsquash"}, {"UNDERLAY", "underlay"}, {"SHARENS", "sharens"},
	{"IGNORE_SUBUID", "ignore-subuid"}, {"IGNORE_USERNS", "ignore-userns"},
	{"IGNORE_FAKEROOT_COMMAND", "ignore-fakeroot-command"},
	/* of pull and build */
	{"FORCE", "force"}, {"DISABLE_CACHE", "disable-cache"}, {"NO_HTTPS", "no-https"},
	{"NOHTTPS", "no-https"}, {"TMPDIR", "tmpdir"}, {"PULL_NAME", "name"},
	{"PULLDIR", "dir"}, {"PULLFOLDER", "dir"}, {"PULL_ARCH", "arch"},
	{"PULL_ARCH_VARIANT", "arch-variant"}, {"BUILD_ARCH", "arch"},
	{"ALLOW_UNSIGNED", "allow-unsigned"}, {"ALLOW_UNAUTHENTICATED", "allow-unauthenticated"},
	{"AUTH_FILE", "authfile"}, {"DOCKER_LOGIN", "docker-login"},
	{"DOCKER_USERNAME", "docker-username"}, {"DOCKER_PASSWORD", "docker-password"},
	{"SANDBOX", "sandbox"}, {"SECTION", "section"}, {"NOTEST", "notest"},
	{"FIXPERMS", "fix-perms"}, {"NO_CLEANUP", "no-cleanup"}, {"UPDATE", "update"},
};
// clang-format on

/* What was found of one key, by prefix. */
struct found_key {
	const char *value[PREFIXES];
};

struct variables {
	struct speech *speech;
	struct found_key of[COUNT_OF(keys)];
	struct found_key cache, level[4]; /* CACHEDIR; see level_keys */
};

static const char *const level_keys[] = {"SILENT", "QUIET", "VERBOSE", "DEBUG"};

static const struct cli_option *find_row(const struct speech *speech, const char *name)
{
	const struct cli *cli = speech->cli;

	for (const struct cli_option *at = cli->option; at < cli->option + cli->count; at++)
		if (at->verbs & cli->bit && strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

static bool adds_up(const char *option)
{
	return strcmp(option, "bind") == 0 || strcmp(option, "mount") == 0;
}

/* Of two that differ the first is taken, as a warning tells. NULL: nothing is set. */
static const char *value_of(struct speech *speech, const struct found_key *found, const char *key,
			    char *name, size_t size, struct err *err)
{
	const char *first = found->value[0], *second = found->value[1];

	(void)snprintf(name, size, "%s_%s", prefixes[first ? 0 : 1], key);
	if (first && second && strcmp(first, second) != 0 &&
	    words_print(&speech->to->warnings, "APPTAINER_%s is taken: SINGULARITY_%s differs", key,
			key) < 0)
		(void)err_sys(err, "cannot take '%s'", name);
	return first ? first : second;
}

static int take_key(struct speech *speech, const char *option, const char *name, const char *value,
		    struct err *err)
{
	const struct cli_option *row = find_row(speech, option);
	int result, yes = row && !row->value ? cli_truth(value) : 1;

	if (!row || !row->take || (speech->seen[row - speech->cli->option] && !adds_up(option)))
		return 0;
	if (yes < 0)
		return err_set(err, "'%s' is '%s', neither true nor false", name, value);
	if (yes == 0)
		return 0;
	speech->variable = name;
	result = row->take(speech, row, row->value ? value : NULL, err);
	speech->variable = NULL;
	return result;
}

/* The end of NAME= after the prefix and '_', or NULL. */
static bool is_key(const char *text, size_t len, const char *key)
{
	return strlen(key) == len && strncmp(text, key, len) == 0;
}

static void find_key(struct variables *at, size_t prefix, const char *text)
{
	size_t len = strcspn(text, "=");
	const char *value = text + len + 1;

	if (!text[len] || !*value)
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (is_key(text, len, keys[i].key) && !at->of[i].value[prefix])
			at->of[i].value[prefix] = value;
	for (size_t i = 0; i < COUNT_OF(level_keys); i++)
		if (is_key(text, len, level_keys[i]))
			at->level[i].value[prefix] = value;
	if (is_key(text, len, "CACHEDIR"))
		at->cache.value[prefix] = value;
}

int dialect_set_variable(struct words *words, const char *name, size_t len, const char *value,
			 struct err *err)
{
	auto_free char *pair = NULL;

	if (is_key(name, len, "PREPEND_PATH"))
		return dialect_say(words, "--prepend-path", value, err);
	if (is_key(name, len, "APPEND_PATH"))
		return dialect_say(words, "--append-path", value, err);
	if (asprintf(&pair, "%.*s=%s", (int)len, name, value) < 0)
		return err_sys(err, "cannot set '%.*s'", (int)len, name);
	return dialect_say(words, "--env", pair, err);
}

/* APPTAINERENV_NAME=VALUE: @text begins behind the '_'. It is the container's as NAME alone. */
static int take_containers(struct speech *speech, const char *whole, const char *text,
			   struct words *to, struct err *err)
{
	size_t len = strcspn(text, "=");
	auto_free char *name = strndup(text, len);
	auto_free char *full = strndup(whole, strcspn(whole, "="));

	if (!name || !full || words_add(&speech->to->unset, full) < 0)
		return err_sys(err, "cannot take '%s'", text);
	if (text[len] != '=')
		return 0;
	if (!env_name_is_good(name))
		return words_print(&speech->to->notes, "'%s' is not set: no name", full) < 0
			       ? err_sys(err, "cannot take '%s'", full)
			       : 0;
	return dialect_set_variable(to, text, len, text + len + 1, err);
}

/* One pass over the environment; most of it is nobody's. */
static int find_all(struct variables *at, char *const *env, struct words *olds, struct err *err)
{
	for (; env && *env; env++)
		for (size_t i = 0; i < PREFIXES; i++) {
			size_t len = strlen(prefixes[i]);
			const char *rest = *env + len;

			if (**env != prefixes[i][0] || strncmp(*env, prefixes[i], len) != 0)
				continue;
			if (*rest == '_')
				find_key(at, i, rest + 1);
			else if (strncmp(rest, "ENV_", 4) == 0 && at->speech->verb < DIALECT_PULL &&
				 take_containers(at->speech, *env, rest + 4,
						 i ? olds : &at->speech->from_variables, err) < 0)
				return -1;
		}
	return 0;
}

/* What is old stands before what is new, which so has the last word. */
static int join_olds(struct speech *speech, struct words *olds, struct err *err)
{
	struct words news = speech->from_variables;
	int result = 0;

	speech->from_variables = *olds;
	*olds = (struct words){0};
	for (size_t i = 0; result == 0 && i < news.count; i++)
		result = dialect_say(&speech->from_variables, news.item[i], NULL, err);
	words_clear(&news);
	return result;
}

/* The folder's own subfolder: Apptainer's cache has a layout of its own. */
static int take_cache(struct variables *at, char *const *env, struct err *err)
{
	const char *value = at->cache.value[0] ? at->cache.value[0] : at->cache.value[1];

	if (!value || at->speech->verb < DIALECT_PULL)
		return 0;
	for (; *env; env++)
		if (strncmp(*env, "FIRN_CACHE=", 11) == 0 && (*env)[11])
			return 0;
	return words_print(&at->speech->to->set, "FIRN_CACHE=%s/firn", value) < 0
		       ? err_sys(err, "cannot take '%s'", value)
		       : 0;
}

static void take_level(struct variables *at)
{
	static const enum log_level levels[] = {LOG_QUIET, LOG_QUIET, LOG_VERBOSE, LOG_DEBUG};
	struct dialect *to = at->speech->to;

	if (to->level != LOG_NORMAL)
		return;
	for (size_t i = 0; i < COUNT_OF(level_keys); i++) {
		const char *const *value = at->level[i].value;

		if (cli_truth(value[0] ? value[0] : value[1] ? value[1] : "0") == 1)
			to->level = levels[i];
	}
}

int dialect_read_variables(struct speech *speech, char *const *env, struct err *err)
{
	struct variables at = {.speech = speech};
	auto_words olds = {0};
	char name[KEY_MAX];

	if (find_all(&at, env, &olds, err) < 0 || join_olds(speech, &olds, err) < 0)
		return -1;
	take_level(&at);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *value;

		if (!at.of[i].value[0] && !at.of[i].value[1])
			continue;
		if (!find_row(speech, keys[i].option))
			continue;
		value = value_of(speech, &at.of[i], keys[i].key, name, sizeof(name), err);
		if (value && take_key(speech, keys[i].option, name, value, err) < 0)
			return -1;
	}
	return take_cache(&at, env, err);
}
