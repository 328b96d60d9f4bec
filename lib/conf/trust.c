/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/trust.h"

#include "lib/file.h"
#include "lib/own.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAP_MAX = 1 << 20 };

bool trust_maps_uid(const char *map, uid_t uid)
{
	for (; *map; map = *map ? map + 1 : map) {
		char *end;
		unsigned long first = strtoul(map, &end, 10), count;

		(void)strtoul(end, &end, 10);
		count = strtoul(end, &end, 10);
		if (uid >= first && uid - first < count)
			return true;
		map = end + strcspn(end, "\n");
	}
	return false;
}

bool trust_is_roots(uid_t uid)
{
	static const char overflow[] = "/proc/sys/kernel/overflowuid";
	auto_free char *number = NULL, *map = NULL;
	struct err ignored;
	size_t size;

	if (uid == 0)
		return true;
	return file_read(AT_FDCWD, overflow, 64, &number, &size, &ignored) == 0 &&
	       uid == strtoul(number, NULL, 10) &&
	       file_read(AT_FDCWD, "/proc/self/uid_map", MAP_MAX, &map, &size, &ignored) == 0 &&
	       !trust_maps_uid(map, uid);
}

/* Whether the directory of @path is the caller's own; it is he who could move it. */
static bool is_in_own_directory(const char *path, uid_t *owner)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat stat_;

	if (!dir || stat(dir, &stat_) < 0)
		return false;
	*owner = stat_.st_uid;
	return stat_.st_uid == geteuid();
}

static int check_owner(int fd, const struct stat *stat, const char *path, bool site,
		       struct err *err)
{
	uid_t above = 0;

	if (stat->st_uid == 0)
		return 0;
	if (stat->st_uid == geteuid()) {
		if (!site || is_in_own_directory(path, &above))
			return 0;
		return err_set(err,
			       "'%s' is not read: it belongs to you, its directory to another user "
			       "(%u)",
			       path, (unsigned)above);
	}
	if (site && trust_is_roots(stat->st_uid) &&
	    faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0)
		return 0;
	return err_set(err, "'%s' is not read: it belongs to another user (%u)", path,
		       (unsigned)stat->st_uid);
}

int trust_check(int fd, const char *path, bool site, struct err *err)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return err_sys(err, "cannot read '%s'", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, "'%s' is no regular file", path);
	if (check_owner(fd, &stat, path, site, err) < 0)
		return -1;
	if (stat.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, "'%s' is not read: others can write to it (mode %04o)", path,
			       stat.st_mode & 07777);
	return 0;
}
