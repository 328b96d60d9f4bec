/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/place.h"

#include "lib/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* How far, and at how many entries, a directory is looked at for what might be covered. */
enum { DEPTH_MAX = 32, BUDGET = 128 };

static bool is_nothing(int fd, int depth, int *budget);

/* One entry of a directory: nothing, if it is an empty directory or file. */
static bool entry_is_nothing(int dir, const struct dirent64 *entry, int depth, int *budget)
{
	auto_fd fd = -1;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return true;
	if (depth == DEPTH_MAX || --*budget < 0)
		return false;
	fd = openat(dir, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_nothing(fd, depth + 1, budget);
}

static bool dir_is_nothing(int dir, int depth, int *budget)
{
	char buffer[1024] __attribute__((aligned(8)));
	long got;

	while ((got = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < got;) {
			const struct dirent64 *entry = (const void *)(buffer + at);

			if (!entry_is_nothing(dir, entry, depth, budget))
				return false;
			at += entry->d_reclen;
		}
	return got == 0;
}

/*
 * Nothing that anybody could miss: an empty file, or a directory without any other
 * file in it (the mount points of other steps are such). What cannot be looked
 * into, or takes long, may hold something.
 */
static bool is_nothing(int fd, int depth, int *budget)
{
	struct stat stat;
	auto_fd dir = -1;

	if (fstat(fd, &stat) < 0)
		return false;
	if (!S_ISDIR(stat.st_mode))
		return S_ISREG(stat.st_mode) && stat.st_size == 0;
	dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && dir_is_nothing(dir, depth, budget);
}

/* What is there may be what is to be shown: a link of one bind's leads into another bind. */
static bool is_source(int fd, const struct plan_step *step)
{
	struct stat there, source;

	return step->source && fstat(fd, &there) == 0 && stat(step->source, &source) == 0 &&
	       there.st_dev == source.st_dev && there.st_ino == source.st_ino;
}

int place_open(int root, const struct plan_step *step)
{
	int budget = BUDGET;
	auto_fd fd = -1;

	if (step->flags & (PLAN_COPY | PLAN_REPLACE))
		return path_open_in(root, step->target, O_PATH | O_NOFOLLOW);
	fd = path_open_straight(root, step->target, O_PATH);
	/* By way of "/.firn" there is nothing that an image could mean by a symlink. */
	if (fd >= 0 || errno != ELOOP || step->flags & PLAN_CWD ||
	    path_is_below(step->target, "/.firn"))
		return take_fd(&fd);
	fd = path_open_in(root, step->target, O_PATH);
	if (fd >= 0 && !is_source(fd, step) && !is_nothing(fd, 0, &budget)) {
		errno = ENOTEMPTY;
		return -1;
	}
	return take_fd(&fd);
}

bool place_is_none(int code)
{
	static const int codes[] = {ENOENT, ENOTDIR, EISDIR, ELOOP,	  ENOTEMPTY,
				    EACCES, EINVAL,  EPERM,  ENAMETOOLONG};

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

const char *place_reason(int code)
{
	switch (code) {
	case ENOTEMPTY:
		return "a symlink of the image leads to files of its own there";
	case ELOOP:
		return "a symlink of the image leads elsewhere";
	default:
		return strerror(code);
	}
}
