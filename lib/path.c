/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/path.h"

#include "lib/own.h"
#include "lib/text.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { LINKS_MAX = 40 };

int path_tidy(const char *path, char **out, struct err *err)
{
	auto_free char *tidy = NULL;
	size_t used = 0;

	if (path[0] != '/')
		return err_set(err, "'%s' is not an absolute path", path);
	tidy = malloc(strlen(path) + 2);
	if (!tidy)
		return err_sys(err, "cannot take path '%s'", path);
	for (const char *part = path; *part;) {
		size_t len = strcspn(part, "/");

		if (len == 2 && part[0] == '.' && part[1] == '.')
			return err_set(err, "'%s' contains '..'", path);
		if (len > 0 && !(len == 1 && part[0] == '.')) {
			tidy[used++] = '/';
			memcpy(tidy + used, part, len);
			used += len;
		}
		part += len;
		part += strspn(part, "/");
	}
	if (used == 0)
		tidy[used++] = '/';
	tidy[used] = '\0';
	*out = take_ptr(&tidy);
	return 0;
}

char *path_join(const char *base, const char *name)
{
	char *joined = NULL;
	const char *slash = base[0] && base[strlen(base) - 1] == '/' ? "" : "/";

	if (name[0] == '/')
		return strdup(name);
	if (asprintf(&joined, "%s%s%s", base, slash, name) < 0)
		return NULL;
	return joined;
}

char *path_clean(const char *text)
{
	char *clean = malloc(strlen(text) + 2);
	size_t used = 0;

	if (!clean)
		return NULL;
	for (const char *part = text; *part;) {
		size_t len = strcspn(part, "/");

		if (len == 2 && strncmp(part, "..", 2) == 0) {
			while (used > 0 && clean[--used] != '/')
				continue;
		} else if (len > 0 && !(len == 1 && *part == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, part, len);
			used += len;
		}
		part += len;
		part += strspn(part, "/");
	}
	if (used == 0)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

bool path_is_below(const char *path, const char *ancestor)
{
	size_t len = strlen(ancestor);

	while (len > 0 && ancestor[len - 1] == '/')
		len--;
	return strncmp(path, ancestor, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int open_in(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd;

	/* The kernel gives EAGAIN when something was renamed meanwhile and ".." might be unsafe. */
	for (int tries = 0; tries < 8; tries++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd < 0 && (errno == ENOSYS || errno == EAGAIN))
		return resolve ? path_walk_straight(root, path, flags)
			       : path_walk_in(root, path, flags);
	return fd;
}

int path_open_in(int root, const char *path, int flags)
{
	return open_in(root, path, flags, 0);
}

int path_open_straight(int root, const char *path, int flags)
{
	return open_in(root, path, flags, RESOLVE_NO_SYMLINKS);
}

/* A walk by components, and how far it has come. */
struct path_walk {
	int root, flags; /* what the end is opened with */
	bool straight;
	int level[PATH_MAX / 2]; /* a descriptor for each level passed, so that ".." is exact */
	int depth;
	char *rest; /* what is left of the path begins at @at in it; owned */
	const char *at;
	int links;
};

enum { WALK_ON = -2 };

static void walk_to_root(struct path_walk *walk)
{
	int saved = errno;

	while (walk->depth > 0)
		(void)close(walk->level[--walk->depth]);
	errno = saved;
}

static int walk_top(const struct path_walk *walk)
{
	return walk->depth > 0 ? walk->level[walk->depth - 1] : walk->root;
}

/* Put the link's target before what is left of the path. */
static int walk_link(struct path_walk *walk, int link)
{
	char target[PATH_MAX];
	ssize_t len;
	char *path = NULL;

	if (walk->straight || ++walk->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	len = readlinkat(link, "", target, sizeof(target) - 1);
	if (len < 0)
		return -1;
	target[len] = '\0';
	if (asprintf(&path, "%s/%s", target, walk->at) < 0)
		return -1;
	if (strlen(path) >= PATH_MAX) {
		free(path);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (path[0] == '/')
		walk_to_root(walk);
	free(walk->rest);
	walk->at = walk->rest = path;
	return WALK_ON;
}

/* The next component into @name. Returns 1 if it is the last one, else 0, or -1 with errno. */
static int take_name(struct path_walk *walk, char name[NAME_MAX + 1])
{
	size_t len;

	walk->at += strspn(walk->at, "/");
	len = strcspn(walk->at, "/");
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, walk->at, len);
	name[len] = '\0';
	walk->at += len;
	return walk->at[strspn(walk->at, "/")] == '\0';
}

static int enter(struct path_walk *walk, int *fd, mode_t mode)
{
	if (S_ISDIR(mode) && walk->depth < (int)COUNT_OF(walk->level)) {
		walk->level[walk->depth++] = take_fd(fd);
		return WALK_ON;
	}
	errno = S_ISDIR(mode) ? ENAMETOOLONG : ENOTDIR;
	return -1;
}

/* Returns WALK_ON, or at the end a descriptor, or -1 with errno. */
static int walk_step(struct path_walk *walk)
{
	char name[NAME_MAX + 1];
	struct stat stat;
	auto_fd fd = -1;
	int last = take_name(walk, name);

	if (last < 0)
		return -1;
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[0] && name[1] && walk->depth > 0)
			(void)close(walk->level[--walk->depth]);
		return last ? openat(walk_top(walk), ".", walk->flags | O_CLOEXEC) : WALK_ON;
	}
	fd = openat(walk_top(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return -1;
	if (S_ISLNK(stat.st_mode) && !(last && (walk->flags & O_NOFOLLOW)))
		return walk_link(walk, fd);
	/* The entry was looked at and is no link; O_NOFOLLOW keeps it so. */
	if (last)
		return openat(walk_top(walk), name, walk->flags | O_NOFOLLOW | O_CLOEXEC);
	return enter(walk, &fd, stat.st_mode);
}

static int walk_in(int root, const char *path, int flags, bool straight)
{
	struct path_walk walk = {.root = root, .flags = flags, .straight = straight};
	int result = WALK_ON;

	walk.at = walk.rest = strdup(path);
	if (!walk.rest)
		return -1;
	while (result == WALK_ON)
		result = walk_step(&walk);
	walk_to_root(&walk);
	free(walk.rest);
	return result;
}

int path_walk_in(int root, const char *path, int flags)
{
	return walk_in(root, path, flags, false);
}

int path_walk_straight(int root, const char *path, int flags)
{
	return walk_in(root, path, flags, true);
}

char *path_quote(const char *path)
{
	char *quoted = malloc(4 * strlen(path) + 1);
	char *to = quoted;

	if (!quoted)
		return NULL;
	while (*path) {
		bool hide;
		size_t len = text_unit(path, &hide);

		hide = hide || strchr(" \\'\"", *path);
		for (; len > 0; len--, path++) {
			if (hide)
				to += snprintf(to, 5, "\\%03o", (unsigned char)*path);
			else
				*to++ = *path;
		}
	}
	*to = '\0';
	return quoted;
}
