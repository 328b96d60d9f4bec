/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * one_hierarchy.c - for LD_PRELOAD: no control groups but those of version 2.
 *
 * Slurm's cgroup/v2 does not start where a machine has hierarchies of version 1 as well, though
 * it uses the other one alone. It opens /proc/PID/cgroup (cgroups(7)), and gets the line that
 * begins with "0::" and no other.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int one_line(const char *path)
{
	char line[4096];
	FILE *all = fopen(path, "re");
	int fd = memfd_create("cgroup", MFD_CLOEXEC);

	while (all && fgets(line, sizeof(line), all))
		if (strncmp(line, "0::", 3) == 0 && write(fd, line, strlen(line)) < 0)
			break;
	if (all)
		(void)fclose(all);
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static int is_groups(const char *path)
{
	static const char name[] = "/cgroup";
	size_t len = strlen(path);

	return strncmp(path, "/proc/", 6) == 0 && len > sizeof(name) &&
	       strcmp(path + len - (sizeof(name) - 1), name) == 0;
}

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) =
		(int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	va_list more;
	unsigned mode;

	if (is_groups(path))
		return one_line(path);
	va_start(more, flags);
	mode = va_arg(more, unsigned);
	va_end(more);
	return real(path, flags, mode);
}
