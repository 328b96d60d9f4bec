/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/process.h"

#include "lib/own.h"

#include <fcntl.h>
#include <limits.h>

enum { STATUS_MAX = 4096 };

int process_open(int proc, const char *name)
{
	return openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool process_is_roots(int process)
{
	auto_fd fd = openat(process, "status", O_RDONLY | O_CLOEXEC);
	char text[STATUS_MAX + 1];
	unsigned real, effective, saved;
	const char *line;
	ssize_t got = fd < 0 ? -1 : read(fd, text, STATUS_MAX);

	if (got <= 0)
		return false;
	text[got] = '\0';
	/* proc(5); the name above it has no newline: the kernel writes "\n" for one. */
	line = strstr(text, "\nUid:\t");
	return line && sscanf(line + 6, "%u %u %u", &real, &effective, &saved) == 3 && real == 0 &&
	       saved == 0;
}

/* readlink(2) of /proc/PID/exe, without what it says of a file that has been replaced. */
static bool read_exe(int process, const char *path, char out[PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	ssize_t len = readlinkat(process, path, out, PATH_MAX - 1);
	char *end;

	if (len < 0)
		return false;
	out[len] = '\0';
	end = out + len - (sizeof(deleted) - 1);
	if ((size_t)len >= sizeof(deleted) && strcmp(end, deleted) == 0)
		*end = '\0';
	return true;
}

bool process_is_like_this(int process)
{
	char its[PATH_MAX], ours[PATH_MAX];

	return read_exe(process, "exe", its) && read_exe(AT_FDCWD, "/proc/self/exe", ours) &&
	       strcmp(its, ours) == 0;
}

bool process_is_in_group(int process, const char *end)
{
	int fd = openat(process, "cgroup", O_RDONLY | O_CLOEXEC);
	auto_file *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t len = strlen(end);
	char line[PATH_MAX];

	if (!file && fd >= 0)
		(void)close(fd);
	while (file && fgets(line, sizeof(line), file)) {
		size_t size = strcspn(line, "\n");

		if (size >= len && strncmp(line + size - len, end, len) == 0)
			return true;
	}
	return false;
}
