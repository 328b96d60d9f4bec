/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/visible.h"

#include "lib/conf/conf.h"
#include "lib/conf/expand.h"
#include "lib/path.h"
#include "runner/has.h"
#include "slurm-plugin/mounts.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

/* Each machine has its own of these. */
static const char *const systems[] = {
	"/bin",	 "/boot", "/dev",  "/etc", "/lib", "/lib64", "/local", "/opt",
	"/proc", "/run",  "/sbin", "/sys", "/tmp", "/usr",   "/var",
};

static bool is_missing(const char *path)
{
	struct stat stat_;

	return stat(path, &stat_) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool is_below_any(const char *path, const char *const *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (path_is_below(path, places[i]))
			return true;
	return false;
}

/* The directory above @path as a new string. */
static char *above(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	return strndup(path, len);
}

static bool nothing_can_be_told(const char *path)
{
	return path[0] != '/' || getenv("FIRN_CONTAINER") || !is_missing(path);
}

enum visible visible_path(const char *path)
{
	auto_free char *dir = NULL;
	const char *own = getenv("TMPDIR");

	if (nothing_can_be_told(path))
		return VISIBLE_THERE;
	if (is_below_any(path, systems, COUNT_OF(systems)) ||
	    (own && own[0] == '/' && own[1] && path_is_below(path, own)))
		return VISIBLE_UNKNOWN;
	dir = above(path);
	return dir && strcmp(dir, "/") != 0 && !is_missing(dir) ? VISIBLE_MISSING : VISIBLE_UNKNOWN;
}

/* What a word of mounts_next() begins with. */
#define TMPFS "--tmpfs="

static int check_source(const char *path, void (*warn)(const struct err *err), struct err *err)
{
	struct err maybe;

	switch (visible_path(path)) {
	case VISIBLE_THERE:
		return 0;
	case VISIBLE_MISSING:
		return err_set(err, "--container-mounts: '%s' does not exist", path);
	case VISIBLE_UNKNOWN:
		break;
	}
	(void)err_set(&maybe,
		      "--container-mounts: '%s' does not exist here: the nodes must have it", path);
	warn(&maybe);
	return 0;
}

int visible_mounts(const char *mounts, void (*warn)(const struct err *err), struct err *err)
{
	int more = mounts ? 1 : 0;

	while (more > 0) {
		auto_free char *word = NULL, *source = NULL;
		const char *bind;

		more = mounts_next(&mounts, &word, err);
		if (more <= 0)
			break;
		bind = mounts_bind_of(word);
		source = bind ? mounts_field(bind, 0) : NULL;
		if (source && check_source(source, warn, err) < 0)
			return -1;
	}
	return more;
}

/* Whether one leads to the other: mount points that an image lacks are made, with all above. */
static bool are_related(const char *a, const char *b)
{
	return path_is_below(a, b) || path_is_below(b, a);
}

static bool is_related_to_bind(const char *dir, const char *bind)
{
	auto_free char *source = mounts_field(bind, 0), *target = mounts_field(bind, 1);
	auto_free char *expanded = NULL;
	const char *where = target ? target : source;
	struct err ignored;

	return !where || expand_path(where, &expanded, &ignored) < 0 || are_related(dir, expanded);
}

static bool is_related_to_mounts(const char *dir, const char *mounts)
{
	struct err ignored;
	int more = mounts ? 1 : 0;

	while (more > 0) {
		auto_free char *word = NULL;

		more = mounts_next(&mounts, &word, &ignored);
		if (more > 0 && mounts_bind_of(word) &&
		    is_related_to_bind(dir, mounts_bind_of(word)))
			return true;
		if (more > 0 && strncmp(word, TMPFS, strlen(TMPFS)) == 0 &&
		    are_related(dir, word + strlen(TMPFS)))
			return true;
	}
	return false;
}

static bool is_related_to_site(const char *dir)
{
	auto_conf *conf = NULL;
	struct err ignored;

	if (conf_read(NULL, &conf, &ignored) < 0)
		return true;
	for (size_t i = 0; i < conf->bind.count; i++)
		if (is_related_to_bind(dir, conf->bind.item[i]))
			return true;
	return false;
}

/* The exit status of @firn, asked whether @image has @dir; -1: it could not be asked. */
static int ask(const char *firn, const char *image, const char *dir)
{
	char *const words[] = {(char *)firn, (char *)"image-has", (char *)image, (char *)dir, NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status, failed;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	failed = posix_spawn(&child, firn, &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failed != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int visible_workdir(const char *dir, const char *image, const char *mounts, const char *firn,
		    struct err *err)
{
	if (nothing_can_be_told(dir) || !image || is_missing(image) ||
	    is_related_to_mounts(dir, mounts) || is_related_to_site(dir) ||
	    ask(firn, image, dir) != HAS_NOT)
		return 0;
	return err_set(err, "--container-workdir: '%s' is no directory of '%s'", dir, image);
}

int visible_is_no_reference(const char *name, struct err *err)
{
	const char *scheme = strstr(name, "://"), *base = strrchr(name, '/');
	auto_free char *reference = strdup(scheme ? scheme + strlen("://") : name);

	base = base ? base + 1 : name;
	/* What begins as a path is one. */
	if (!reference || name[0] == '/' || name[0] == '.' || !is_missing(name) ||
	    !(scheme || strchr(name, '#') || strchr(base, ':')))
		return 0;
	for (char *at = reference; (at = strchr(at, '#'));)
		*at = '/';
	return err_set(err, "there is no file '%s'; 'firn pull %s' makes one of a registry's image",
		       name, reference);
}
