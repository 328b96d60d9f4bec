/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/close.h"

#include "lib/own.h"

#include <stdbool.h>
#include <sys/syscall.h>

static int compare(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

static int close_range_of(unsigned first, unsigned last)
{
	if (first > last)
		return 0;
	return (int)syscall(SYS_close_range, first, last, 0);
}

/* The gaps between what stays, which is sorted. */
static int close_gaps(unsigned first, const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)first)
			continue;
		if (close_range_of(first, (unsigned)keep[i] - 1) < 0)
			return -1;
		first = (unsigned)keep[i] + 1;
	}
	return close_range_of(first, ~0u);
}

static bool stays(int fd, const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* Without close_range(2) (Linux 5.9): what /proc lists, by and by. */
static int close_listed(int first, const int *keep, size_t count)
{
	auto_dir *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return -1;
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		int fd = atoi(entry->d_name);

		if (fd >= first && !stays(fd, keep, count) && fd != dirfd(dir))
			(void)close(fd);
	}
	return errno == 0 ? 0 : -1;
}

int close_others(int first, int *keep, size_t count)
{
	qsort(keep, count, sizeof(*keep), compare);
	if (close_gaps((unsigned)first, keep, count) == 0)
		return 0;
	return close_listed(first, keep, count);
}
