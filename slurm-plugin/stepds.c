/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/stepds.h"

#include "lib/own.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static bool begins_with(int proc, const char *process, const char *title)
{
	char path[300], text[64];
	size_t len = strlen(title);
	auto_fd fd = -1;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/cmdline", process);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 &&
	       read(fd, text, sizeof(text)) >= (ssize_t)len && memcmp(text, title, len) == 0;
}

bool stepds_of_job(uint32_t job)
{
	auto_dir *proc = opendir("/proc");
	struct dirent *entry;
	char title[40];

	(void)snprintf(title, sizeof(title), "slurmstepd: [%" PRIu32 ".", job);
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    begins_with(dirfd(proc), entry->d_name, title))
			return true;
	return false;
}
