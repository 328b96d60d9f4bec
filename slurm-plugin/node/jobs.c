/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/jobs.h"

#include "lib/own.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/* Returns a descriptor. Nobody but root may be able to put something there. */
static int open_jobs(const char *dir, struct err *err)
{
	auto_fd fd = -1;
	struct stat stat;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot open '%s'", dir);
	if (stat.st_uid != geteuid() || stat.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, "'%s' can be written to by others than root", dir);
	return take_fd(&fd);
}

int jobs_begin(const char *dir, uint32_t job, struct err *err)
{
	auto_fd fd = -1;
	char name[16];

	/* Whatever slurmd's umask is, users are to see it. */
	if (mkdir(dir, 0755) == 0 ? chmod(dir, 0755) < 0 : errno != EEXIST)
		return err_sys(err, "cannot make '%s'", dir);
	fd = open_jobs(dir, err);
	if (fd < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%" PRIu32, job);
	if (mkdirat(fd, name, 0755) == 0 ? fchmodat(fd, name, 0755, 0) < 0 : errno != EEXIST)
		return err_sys(err, "cannot make '%s/%s'", dir, name);
	return 0;
}

int jobs_end(const char *dir, uint32_t job, struct err *err)
{
	auto_fd fd = -1;
	char name[16];

	if (access(dir, F_OK) < 0 && errno == ENOENT)
		return 0;
	fd = open_jobs(dir, err);
	if (fd < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%" PRIu32, job);
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return err_sys(err, "cannot remove '%s/%s'", dir, name);
}
