/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/stepds.h"

#include "lib/own.h"
#include "slurm-plugin/node/process.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>

/* Its arguments are looked at last, and only of slurmstepd: see process.h. */
static bool is_stepd(int proc, const char *name, const char *title)
{
	auto_fd process = process_open(proc, name);
	auto_fd fd = -1;
	char text[64];
	size_t len = strlen(title);

	if (process < 0 || !process_is_roots(process) || !process_is_like_this(process))
		return false;
	fd = openat(process, "cmdline", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text)) >= (ssize_t)len &&
	       memcmp(text, title, len) == 0;
}

bool stepds_of_job(uint32_t job)
{
	auto_dir *proc = opendir("/proc");
	struct dirent *entry;
	char title[40];

	(void)snprintf(title, sizeof(title), "slurmstepd: [%" PRIu32 ".", job);
	if (!proc)
		return true;
	for (errno = 0; (entry = readdir(proc)); errno = 0)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_stepd(dirfd(proc), entry->d_name, title))
			return true;
	return errno != 0;
}
