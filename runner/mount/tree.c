/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/tree.h"

#include "lib/file.h"
#include "lib/own.h"
#include "lib/path.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* <sys/mount.h> and <linux/mount.h> disagree on glibc before 2.37: declare what is needed. */
extern int mount(const char *, const char *, const char *, unsigned long, const void *);

enum {
	OLD_RDONLY = 1,
	OLD_NOSUID = 2,
	OLD_NODEV = 4,
	OLD_NOEXEC = 8,
	OLD_REMOUNT = 32,
	OLD_NOATIME = 1024,
	OLD_NODIRATIME = 2048,
	OLD_BIND = 4096,
	OLD_REC = 16384,
	OLD_PRIVATE = 1 << 18,
	OLD_RELATIME = 1 << 21,
};

enum { MOUNTINFO_MAX = 64 << 20 }; /* bytes */

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Set once a system call proved missing, so that each is tried once. */
static bool no_clone, no_setattr;

static const char *fd_path(char *buffer, size_t size, int fd)
{
	(void)snprintf(buffer, size, "/proc/self/fd/%d", fd);
	return buffer;
}

int tree_clone(const char *path, struct err *err)
{
	int tree = -1;

	if (!no_clone) {
		tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		no_clone = tree < 0 && errno == ENOSYS;
	}
	if (no_clone)
		tree = open(path, O_PATH | O_CLOEXEC);
	return tree < 0 ? err_sys(err, "cannot bind '%s'", path) : tree;
}

int tree_restrict(int tree, unsigned flags, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID};

	if (flags & TREE_READONLY)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (flags & TREE_NODEV)
		attr.attr_set |= MOUNT_ATTR_NODEV;
	if (flags & TREE_PRIVATE)
		attr.propagation = OLD_PRIVATE;
	if (no_setattr || no_clone) {
		no_setattr = true;
		return 0;
	}
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) == 0)
		return 0;
	if (errno != ENOSYS)
		return err_sys(err, "cannot restrict a mount");
	no_setattr = true;
	return 0;
}

static int attach_old(int tree, const char *target)
{
	char from[64];

	return mount(fd_path(from, sizeof(from), tree), target, NULL, OLD_BIND | OLD_REC, NULL);
}

static bool attach_new(int tree, int target, const char *name, int *result)
{
	if (no_clone)
		return false;
	*result = (int)syscall(SYS_move_mount, tree, "", target, name,
			       MOVE_MOUNT_F_EMPTY_PATH |
				       (name[0] ? 0 : MOVE_MOUNT_T_EMPTY_PATH));
	return true;
}

int tree_attach(int tree, int target, struct err *err)
{
	char to[64];
	int result;

	if (!attach_new(tree, target, "", &result))
		result = attach_old(tree, fd_path(to, sizeof(to), target));
	return result < 0 ? err_sys(err, "cannot mount") : 0;
}

int tree_attach_root(int tree, struct err *err)
{
	int result;

	if (!attach_new(tree, AT_FDCWD, "/", &result))
		result = attach_old(tree, "/");
	return result < 0 ? err_sys(err, "cannot mount the root") : 0;
}

/* Field 6 of a mountinfo line, proc(5): the options a remount must repeat. */
static unsigned long old_flags(const char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} names[] = {
		{"ro", OLD_RDONLY},	  {"nosuid", OLD_NOSUID},	  {"nodev", OLD_NODEV},
		{"noexec", OLD_NOEXEC},	  {"noatime", OLD_NOATIME}, {"nodiratime", OLD_NODIRATIME},
		{"relatime", OLD_RELATIME},
	};
	unsigned long flags = 0;

	for (const char *at = options; *at;) {
		size_t len = strcspn(at, ",");

		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (strlen(names[i].name) == len && strncmp(names[i].name, at, len) == 0)
				flags |= names[i].flag;
		at += len + (at[len] == ',');
	}
	return flags;
}

/* Undo the \ooo of mountinfo in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* What tree_restrict_all() is told. */
struct readonly {
	bool root;
	const struct tree_point *point;
	size_t count;
};

/* What came last decides: it lies over the earlier ones, and what it has below came with it. */
static bool is_readonly(const char *path, const struct readonly *readonly)
{
	for (size_t i = readonly->count; i > 0; i--)
		if (path_is_below(path, readonly->point[i - 1].path))
			return readonly->point[i - 1].readonly;
	return readonly->root && strcmp(path, "/") == 0;
}

/*
 * A mount that another one covers cannot be reached by its path, by nobody: then what failed
 * with @code says so, or, below a directory that is closed to us, the path itself does. A
 * refusal to restrict what can be reached is none of these. Leaves errno alone.
 */
static bool cannot_be_reached(const char *path, int code)
{
	bool reached;

	if (code != EACCES)
		return code == EINVAL || code == ENOENT;

	auto_fd fd = open(path, O_PATH | O_CLOEXEC);

	reached = fd >= 0;
	errno = code;
	return !reached;
}

static int restrict_line(char *line, const struct readonly *readonly, struct err *err)
{
	char *field[6];
	char *rest = line;
	unsigned long old, wanted;

	for (size_t i = 0; i < COUNT_OF(field); i++) {
		field[i] = strsep(&rest, " ");
		if (!field[i])
			return 0;
	}
	unescape(field[4]);
	old = old_flags(field[5]);
	wanted = old | OLD_NOSUID;
	if (!path_is_below(field[4], "/dev"))
		wanted |= OLD_NODEV;
	if (is_readonly(field[4], readonly))
		wanted |= OLD_RDONLY;
	if (wanted == old)
		return 0;
	if (mount(NULL, field[4], NULL, OLD_REMOUNT | OLD_BIND | wanted, NULL) == 0)
		return 0;
	if (cannot_be_reached(field[4], errno))
		return 0;
	return err_sys(err, "cannot restrict the mount at '%s'", field[4]);
}

int tree_separate_all(struct err *err)
{
	if (mount(NULL, "/", NULL, OLD_REC | OLD_PRIVATE, NULL) < 0)
		return err_sys(err, "cannot keep the host's later mounts out");
	return 0;
}

bool tree_restrict_needed(void)
{
	return no_setattr;
}

int tree_restrict_all(bool readonly_root, const struct tree_point *points, size_t count,
		      struct err *err)
{
	const struct readonly readonly = {readonly_root, points, count};
	auto_free char *text = NULL;
	char *rest, *line;
	size_t size;

	/* All of it, before anything is changed: a line that is lost would be a mount as it was. */
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &size, err) < 0)
		return -1;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (restrict_line(line, &readonly, err) < 0)
			return -1;
	return 0;
}
