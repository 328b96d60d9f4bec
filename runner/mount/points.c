/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/points.h"

#include "lib/own.h"
#include "lib/path.h"
#include "runner/mount/place.h"
#include "runner/mount/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Make @path, a file or directory with all above it, in the tmpfs directory @base. */
static int make_path(int base, const char *path, bool is_file)
{
	char part[PATH_MAX];

	for (const char *at = path + strspn(path, "/"); *at;) {
		size_t end = (size_t)(at - path) + strcspn(at, "/");
		bool last = path[end + strspn(path + end, "/")] == '\0';
		auto_fd made = -1;

		if (end >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		(void)snprintf(part, sizeof(part), "%.*s", (int)end, path);
		if (last && is_file)
			made = openat(base, part + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (last && is_file ? made < 0
				    : mkdirat(base, part + 1, 0755) < 0 && errno != EEXIST)
			return -1;
		at = path + end + strspn(path + end, "/");
	}
	return 0;
}

/*
 * Where @target belongs when the image's symlinks are followed: in @base the real
 * path of the deepest directory above it that exists ("" for the root), in @rest
 * what of @target lies below that.
 */
static int real_base(const struct points *points, const char *target, char *base, size_t size,
		     const char **rest)
{
	auto_free char *above = strdup(target);
	char link[64];

	while (above) {
		char *slash = strrchr(above, '/');
		auto_fd fd = -1;
		ssize_t len;

		*slash = '\0';
		fd = path_open_in(points->root, *above ? above : "/", O_PATH | O_DIRECTORY);
		if (fd < 0 && errno == ENOENT && *above)
			continue;
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = fd < 0 ? -1 : readlink(link, base, size - 1);
		if (len < 0)
			return -1;
		/* The root shows as "/", all else without a slash at its end. */
		base[len == 1 ? 0 : len] = '\0';
		*rest = target + (slash - above);
		return 0;
	}
	return -1;
}

static int open_skeleton(struct points *points)
{
	if (points->skeleton < 0 && mkdirat(points->scratch, "points", 0755) == 0)
		points->skeleton =
			openat(points->scratch, "points", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return points->skeleton < 0 ? -1 : 0;
}

static int make_point(struct points *points, const char *target, bool is_file, struct err *err)
{
	auto_free char *path = NULL;
	char base[PATH_MAX];
	const char *rest;

	if (open_skeleton(points) < 0 ||
	    real_base(points, target, base, sizeof(base), &rest) < 0 ||
	    asprintf(&path, "%s%s", base, rest) < 0 ||
	    make_path(points->skeleton, path, is_file) < 0)
		return err_sys(err, "cannot mount at '%s'", target);
	if (points->count++ == 0)
		memcpy(points->base, base, sizeof(base));
	else if (strcmp(points->base, base) != 0)
		points->scattered = true;
	return 0;
}

/* What else than absence is wrong with @target shows when it is mounted on. */
static bool is_absent(struct points *points, const char *target, bool *crooked)
{
	auto_fd there = path_open_straight(points->root, target, O_PATH);

	*crooked = there < 0 && errno == ELOOP;
	if (*crooked)
		there = path_open_in(points->root, target, O_PATH);
	return there < 0 && errno == ENOENT;
}

/* The same for what takes the place of a symlink, too. */
static bool is_free(struct points *points, const char *target)
{
	auto_fd there = path_open_in(points->root, target, O_PATH | O_NOFOLLOW);

	return there < 0 && errno == ENOENT;
}

static bool replaces(const struct plan_step *step)
{
	return step->kind == PLAN_FILE || step->kind == PLAN_PREFIX ||
	       step->flags & (PLAN_COPY | PLAN_REPLACE);
}

static bool is_file(const struct plan_step *step)
{
	return replaces(step) || (step->kind == PLAN_BIND && step->flags & PLAN_ISFILE);
}

int points_add(struct points *points, const struct plan_step *step, struct err *err)
{
	bool lenient = plan_step_is_lenient(step) || step->kind == PLAN_FILE ||
		       step->kind == PLAN_PREFIX || step->kind == PLAN_DIR;
	bool crooked = false;
	bool absent = replaces(step) ? is_free(points, step->target)
				     : is_absent(points, step->target, &crooked);
	int result = 0;

	points->crooked |= crooked;
	if (absent && !(crooked && step->flags & PLAN_CWD)) {
		result = make_point(points, step->target, is_file(step), err);
		points->needed |= result == 0 && !lenient;
	}
	if (result == 0 && step->flags & PLAN_CWD && points->crooked &&
	    is_absent(points, PLAN_CWD_PLACE, &crooked))
		result = make_point(points, PLAN_CWD_PLACE, false, err);
	return lenient ? 0 : result;
}

/* One call tells: an empty directory has "." and ".." and nothing else (getdents(2)). */
static bool is_empty(int fd)
{
	char buffer[1024] __attribute__((aligned(8)));
	long got = syscall(SYS_getdents64, fd, buffer, sizeof(buffer));
	int count = 0;

	for (long at = 0; at < got; count++) {
		const struct dirent64 *entry = (const void *)(buffer + at);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
		at += entry->d_reclen;
	}
	return count == 2;
}

int points_cover(struct points *points, struct err *err)
{
	auto_fd target = -1;
	auto_fd from = -1;
	auto_fd tree = -1;
	char link[64];

	if (points->scattered || points->base[0] == '\0')
		return 0;
	target = path_open_in(points->root, points->base, O_RDONLY | O_DIRECTORY);
	if (target < 0 || !is_empty(target))
		return 0;
	from = openat(points->skeleton, points->base + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return err_sys(err, "cannot mount at '%s'", points->base);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", from);
	tree = tree_clone(link, err);
	if (tree < 0 || tree_restrict(tree, TREE_READONLY | TREE_NODEV, err) < 0 ||
	    tree_attach(tree, target, err) < 0)
		return -1;
	return 1;
}
