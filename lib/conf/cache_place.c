/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/cache_place.h"

#include "lib/conf/expand.h"
#include "lib/conf/trust.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What the two are called in messages, and where they are named. */
static const struct cache_words {
	const char *noun, *key, *variable;
} words[] = {
	[PLACE_OF_CACHE] = {"cache", "[build] cache", "FIRN_CACHE"},
	[PLACE_OF_STORE] = {"store", "[store] dir", "FIRN_STORE"},
	[PLACE_OF_GROUP_STORE] = {"store", "[store] dir", "FIRN_STORE"},
};

size_t cache_shared_part(const char *text)
{
	const char *end = text + strcspn(text, "$");

	if (text[0] == '~' || end == text)
		return 0;
	if (*end)
		while (end > text && *end != '/')
			end--;
	return (size_t)(end - text);
}

int cache_place_find(const struct conf *conf, struct cache_place *out, struct err *err)
{
	const char *own = getenv("FIRN_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");
	int result;

	*out = (struct cache_place){0};
	if (own && *own) {
		result = asprintf(&out->path, "%s", own);
	} else if (conf->cache) {
		out->shared = cache_shared_part(conf->cache);
		return expand_path(conf->cache, &out->path, err) < 0
			       ? err_aim(err, "firn.conf's [build] cache")
			       : 0;
	} else if (xdg && *xdg == '/') {
		result = asprintf(&out->path, "%s/firn", xdg);
	} else if (home && *home == '/') {
		result = asprintf(&out->path, "%s/.cache/firn", home);
	} else {
		return err_set(err, "no place for the cache: set HOME, XDG_CACHE_HOME or "
				    "FIRN_CACHE, or say --no-cache");
	}
	if (result < 0)
		out->path = NULL;
	return result < 0 ? err_sys(err, "cannot name the cache") : 0;
}

void cache_place_clear(struct cache_place *place)
{
	free(place->path);
	*place = (struct cache_place){0};
}

/* A group that shares its store has no folders in it. */
static bool is_for_all(const struct stat *stat, enum cache_use use)
{
	mode_t others = use == PLACE_OF_GROUP_STORE ? S_IWOTH : S_IWGRP | S_IWOTH;

	return S_ISDIR(stat->st_mode) && trust_is_roots(stat->st_uid) && stat->st_mode & S_ISVTX &&
	       stat->st_mode & others;
}

/* The caller's name, or his number where he has none that can be a file's. */
static void own_name(user_name *name, char *out, size_t size)
{
	if (name(out, size) < 0 || !*out || *out == '.' || strchr(out, '/'))
		(void)snprintf(out, size, "%u", (unsigned)geteuid());
}

static void remedy(struct cache_folder *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void remedy(struct cache_folder *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(out->remedy, sizeof(out->remedy), format, args);
	va_end(args);
}

/* Of a place that can be nobody's. */
static void remedy_other(const struct cache_words *of, struct cache_folder *out)
{
	const char *own = getenv(of->variable);

	if (own && *own)
		remedy(out, "let %s name a directory of your own, or unset it", of->variable);
	else
		remedy(out, "name another one: in firn.conf, %s = /PLACE/$USER, or by %s", of->key,
		       of->variable);
}

/* What the site names for all is to be for all; what a user names is his to name. */
static void remedy_place(const struct cache_words *of, struct cache_folder *out, const char *path)
{
	const char *own = getenv(of->variable);

	if (own && *own)
		remedy_other(of, out);
	else
		remedy(out,
		       "in firn.conf, %s = /PLACE/$USER; or for all: chown root:root "
		       "'%.160s' && chmod 1777 '%.160s'",
		       of->key, path, path);
}

/* Whether the directory with @stat may be the caller's cache, or one of his store. */
static int check(const struct stat *stat, enum cache_use use, struct cache_folder *out,
		 struct err *err)
{
	bool is_own = stat->st_uid == geteuid();
	mode_t others = stat->st_mode & (S_IWGRP | S_IWOTH);

	if (!S_ISDIR(stat->st_mode)) {
		remedy_other(&words[use], out);
		return err_set(err, "'%s' is no directory", out->path);
	}
	if (use == PLACE_OF_GROUP_STORE && !out->is_of_all)
		others &= (mode_t)~S_IWGRP;
	if (use != PLACE_OF_CACHE && !is_own && !others && !out->is_of_all) {
		out->is_others = !(stat->st_mode & S_IWGRP);
		return 0;
	}
	if (!is_own && use != PLACE_OF_CACHE && !out->is_of_all) {
		remedy(out,
		       "as its owner: chmod go-w '%.160s'; or in firn.conf, [store] group = yes",
		       out->path);
		return err_set(err, "'%s' is not used: others can write to it (mode %04o)",
			       out->path, stat->st_mode & 07777);
	}
	if (!is_own) {
		if (out->is_of_all)
			remedy(out, "as root: rm -r '%.160s'", out->path);
		else
			remedy_place(&words[use], out, out->path);
		return err_set(err, "'%s' is not used: it belongs to another user (%u)", out->path,
			       (unsigned)stat->st_uid);
	}
	if (others) {
		remedy(out, "chmod go-w '%.160s'", out->path);
		return err_set(err, "'%s' is not used: others can write to it (mode %04o)",
			       out->path, stat->st_mode & 07777);
	}
	return 0;
}

/* The step from one directory to the next on the way to a place. */
struct step {
	const struct cache_place *place;
	int dir;
	const char *path; /* to its end */
	const char *name;
	size_t len; /* of @path */
	bool is_last, make;
};

/*
 * Whether what is missing is the caller's to make. Root's own directories are for all as soon as
 * others can go into them.
 */
static bool may_make(const struct step *step)
{
	struct stat stat;

	if (step->len > step->place->shared)
		return true;
	return fstat(step->dir, &stat) == 0 && stat.st_uid == geteuid() &&
	       !is_for_all(&stat, step->place->use) &&
	       (geteuid() != 0 || !(stat.st_mode & S_IXOTH));
}

static int cannot(const struct step *step, const char *what, struct cache_folder *out,
		  struct err *err)
{
	size_t above = (size_t)(step->name - step->path);
	int code = errno;

	if (code == EACCES && above > 1 && above <= step->place->shared + 1)
		remedy(out, "for all, as root: chown root:root '%.*s' && chmod 1777 '%.*s'",
		       (int)above - 1, step->path, (int)above - 1, step->path);
	else
		remedy_other(&words[step->place->use], out);
	return err_code(err, code, "cannot %s '%s'", what, step->path);
}

/* Keep something in @dir, an O_PATH descriptor, as a download is. Returns 0 or an errno value. */
static int try_to_keep(int dir)
{
	static const char zeros[64 << 10];
	auto_fd fd = -1;
	ssize_t written;

	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return errno;
	/* Not all file systems have them, NFS for one. */
	fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EOPNOTSUPP || errno == EISDIR ? 0 : errno;
	written = write(fd, zeros, sizeof(zeros));
	return written < 0 ? errno : written < (ssize_t)sizeof(zeros) ? ENOSPC : 0;
}

/* The descriptor, an O_PATH one; -1 with @err, or without @make with ENOENT in it. */
static int go_or_make(const struct step *step, struct cache_folder *out, struct err *err)
{
	int flags = O_PATH | O_CLOEXEC | (step->is_last ? O_NOFOLLOW : O_DIRECTORY);
	int fd = openat(step->dir, step->name, flags);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return cannot(step, "open", out, err);
	if (!may_make(step)) {
		remedy(out, "as root: mkdir -p '%.160s' && chmod 1777 '%.160s'", step->path,
		       step->path);
		return err_set(err,
			       "there is no '%s', which firn.conf names for all users: whoever "
			       "made it would own it",
			       step->path);
	}
	if (!step->make) {
		errno = try_to_keep(step->dir);
		return errno ? cannot(step, "make", out, err)
			     : err_code(err, ENOENT, "there is no '%s'", step->path);
	}
	if (mkdirat(step->dir, step->name, 0700) < 0 && errno != EEXIST)
		return cannot(step, "make", out, err);
	fd = openat(step->dir, step->name, flags | O_NOFOLLOW);
	return fd >= 0 ? fd : cannot(step, "open", out, err);
}

/* If @fd, the last part of the path, is a link of root's or the caller's, to where it leads. */
static int follow(const struct step *step, int *fd, struct cache_folder *out, struct err *err)
{
	char target[PATH_MAX];
	struct stat stat;
	ssize_t len;

	if (fstat(*fd, &stat) < 0)
		return cannot(step, "open", out, err);
	if (!S_ISLNK(stat.st_mode))
		return 0;
	if (stat.st_uid != geteuid() && !trust_is_roots(stat.st_uid)) {
		remedy(out, "as root: rm '%.160s'", step->path);
		return err_set(err, "'%s' is not used: it is a link of another user's (%u)",
			       step->path, (unsigned)stat.st_uid);
	}
	len = readlinkat(*fd, "", target, sizeof(target) - 1);
	own_close(fd);
	if (len < 0)
		return cannot(step, "open", out, err);
	target[len] = '\0';
	*fd = openat(step->dir, target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? cannot(step, "open", out, err) : 0;
}

/* To the directory of @place, an O_PATH descriptor in @fd. Errors as those of go_or_make(). */
static int walk(const struct cache_place *place, bool make, int *fd, struct cache_folder *out,
		struct err *err)
{
	auto_free char *path = strdup(place->path);
	char *end;

	if (!path)
		return err_sys(err, "cannot open the %s '%s'", words[place->use].noun, place->path);
	*fd = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(err, "cannot open the %s '%s'", words[place->use].noun, place->path);
	for (char *at = path + strspn(path, "/"); *at; at = end + strspn(end, "/")) {
		struct step step = {.place = place, .path = path, .name = at, .make = make};
		auto_fd next = -1;
		char kept;

		end = at + strcspn(at, "/");
		step.is_last = end[strspn(end, "/")] == '\0';
		step.len = (size_t)(end - path);
		step.dir = *fd;
		kept = *end;
		*end = '\0';
		next = go_or_make(&step, out, err);
		if (next < 0 || (step.is_last && follow(&step, &next, out, err) < 0))
			return -1;
		*end = kept;
		own_close(fd);
		*fd = take_fd(&next);
	}
	return 0;
}

/* From @fd, a directory for all, into the caller's folder. Errors as those of go_or_make(). */
static int go_into_own(int *fd, user_name *own, bool make, struct cache_folder *out,
		       struct err *err)
{
	static const struct cache_place none;
	char name[NAME_MAX + 1];
	auto_free char *above = out->path;
	auto_fd next = -1;
	struct step step = {
		.place = &none, .dir = *fd, .name = name, .is_last = true, .make = make};

	out->path = NULL;
	own_name(own, name, sizeof(name));
	if (asprintf(&out->path, "%s/%s", above, name) < 0)
		return err_sys(err, "cannot open the cache");
	out->is_of_all = true;
	step.path = out->path;
	step.len = strlen(out->path);
	step.name = out->path + step.len - strlen(name);
	next = go_or_make(&step, out, err);
	if (next < 0)
		return -1;
	own_close(fd);
	*fd = take_fd(&next);
	return 0;
}

/* Whether a download could be kept in @fd, the caller's cache, and in what is in it already. */
static int look_into(int fd, struct cache_folder *out, struct err *err)
{
	static const char *const names[] = {".", CACHE_INGEST, CACHE_BLOBS, CACHE_BLOBS_SHA256,
					    CACHE_BLOBS_SHA512};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		auto_fd below = openat(fd, names[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (below < 0 && errno == ENOENT)
			continue;
		if (below < 0)
			remedy(out, "rm -r '%.160s/%s'", out->path, names[i]);
		if (below < 0)
			return err_sys(err, "cannot open '%s/%s'", out->path, names[i]);
		errno = try_to_keep(below);
		if (errno == 0)
			continue;
		if (errno == ENOSPC || errno == EDQUOT)
			remedy(out, "firn cache gc --keep 0, or name another place by FIRN_CACHE");
		else if (errno == EACCES)
			remedy(out, "chmod u+rwx '%.160s%s%s', if it is yours; or rm -r", out->path,
			       i ? "/" : "", i ? names[i] : "");
		else
			remedy_other(&words[PLACE_OF_CACHE], out);
		return err_sys(err, "cannot write to '%s%s%s'", out->path, i ? "/" : "",
			       i ? names[i] : "");
	}
	return 0;
}

/*
 * What root can use, and nobody else: he asks for all. Directories for each, or one with mode 1777,
 * are what a site can name.
 */
static int look_for_all(const struct cache_place *place, struct cache_folder *out, struct err *err)
{
	if (geteuid() != 0 || place->shared == 0 || place->shared < strlen(place->path) ||
	    out->is_of_all)
		return 0;
	remedy_place(&words[place->use], out, out->path);
	return err_set(err, "'%s' is root's alone: no other user has a cache", out->path);
}

int cache_folder_open(const struct cache_place *place, user_name *name, bool make,
		      struct cache_folder *out, struct err *err)
{
	auto_fd fd = -1;
	struct stat stat;

	*out = (struct cache_folder){.fd = -1, .path = strdup(place->path)};
	if (!out->path)
		return err_sys(err, "cannot open the cache");
	if (walk(place, make, &fd, out, err) < 0)
		return !make && err->code == ENOENT ? 0 : -1;
	if (fstat(fd, &stat) < 0)
		return err_sys(err, "cannot open '%s'", out->path);
	if (is_for_all(&stat, place->use)) {
		if (go_into_own(&fd, name, make, out, err) < 0)
			return !make && err->code == ENOENT ? 0 : -1;
		if (fstat(fd, &stat) < 0)
			return err_sys(err, "cannot open '%s'", out->path);
	}
	if (check(&stat, place->use, out, err) < 0)
		return -1;
	if (!make && place->use == PLACE_OF_CACHE &&
	    (look_for_all(place, out, err) < 0 || look_into(fd, out, err) < 0))
		return -1;
	out->fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return out->fd < 0 ? err_sys(err, "cannot open '%s'", out->path) : 0;
}

void cache_folder_clear(struct cache_folder *folder)
{
	own_close(&folder->fd);
	free(folder->path);
	folder->path = NULL;
}
