/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/visible.h"

#include "lib/own.h"
#include "lib/path.h"
#include "slurm-plugin/mounts.h"

#include <sys/stat.h>

/* Each machine has its own of these. */
static const char *const local[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};
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

enum visible visible_image(const char *path)
{
	auto_free char *dir = NULL;
	const char *own = getenv("TMPDIR");

	if (nothing_can_be_told(path))
		return VISIBLE_THERE;
	if (is_below_any(path, local, COUNT_OF(local)) ||
	    (own && own[0] == '/' && own[1] && path_is_below(path, own)))
		return VISIBLE_UNKNOWN;
	dir = above(path);
	return dir && !is_missing(dir) ? VISIBLE_MISSING : VISIBLE_UNKNOWN;
}

enum visible visible_source(const char *path)
{
	auto_free char *dir = NULL;
	enum visible found = visible_image(path);

	if (found != VISIBLE_MISSING)
		return found;
	dir = above(path);
	if (!dir || strcmp(dir, "/") == 0 || is_below_any(path, systems, COUNT_OF(systems)))
		return VISIBLE_UNKNOWN;
	return VISIBLE_MISSING;
}

/* The source in @word, "--bind=SRC:...", as a new string without its backslashes; NULL: none. */
static char *source_of(const char *word)
{
	static const char option[] = "--bind=";
	char *source;
	size_t len = 0;

	if (strncmp(word, option, strlen(option)) != 0)
		return NULL;
	word += strlen(option);
	source = malloc(strlen(word) + 1);
	for (; source && *word && *word != ':'; word++) {
		if (word[0] == '\\' && (word[1] == ':' || word[1] == '\\'))
			word++;
		source[len++] = *word;
	}
	if (source)
		source[len] = '\0';
	return source;
}

static int check_source(const char *path, void (*warn)(const struct err *err), struct err *err)
{
	struct err maybe;

	switch (visible_source(path)) {
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

		more = mounts_next(&mounts, &word, err);
		if (more <= 0)
			break;
		source = source_of(word);
		if (source && check_source(source, warn, err) < 0)
			return -1;
	}
	return more;
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
