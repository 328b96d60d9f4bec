/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/cgroups.h"

#include "lib/own.h"

#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>

enum { DEPTH_MAX = 8, TRIES_MAX = 20, PAUSE_MS = 50 };

static DIR *open_in(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *opened = fd < 0 ? NULL : fdopendir(fd);

	if (!opened && fd >= 0)
		(void)close(fd);
	return opened;
}

static bool is_group(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

/* Only groups are removed; their files go with them. Returns whether it is gone. */
static bool remove_group(int dir, const char *name, int depth)
{
	auto_dir *group = open_in(dir, name);
	struct dirent *entry;

	while (group && depth < DEPTH_MAX && (entry = readdir(group)))
		if (is_group(entry))
			(void)remove_group(dirfd(group), entry->d_name, depth + 1);
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Where Slurm's groups of jobs may be. */
static bool leads_to_jobs(const char *name)
{
	static const char scope[] = "slurmstepd.scope";
	size_t len = strlen(name);

	return strncmp(name, "slurm", 5) == 0 || strncmp(name, "uid_", 4) == 0 ||
	       strcmp(name, "system.slice") == 0 ||
	       (len >= sizeof(scope) - 1 && strcmp(name + len - (sizeof(scope) - 1), scope) == 0);
}

/* Returns whether all groups of @job below are gone. */
static bool sweep(int dir, const char *name, const char *job, int depth)
{
	auto_dir *opened = open_in(dir, name);
	struct dirent *entry;
	bool gone = true;

	while (opened && depth < DEPTH_MAX && (entry = readdir(opened))) {
		if (!is_group(entry))
			continue;
		if (strcmp(entry->d_name, job) == 0)
			gone = remove_group(dirfd(opened), entry->d_name, depth) && gone;
		else if (leads_to_jobs(entry->d_name))
			gone = sweep(dirfd(opened), entry->d_name, job, depth + 1) && gone;
	}
	return gone;
}

static bool sweep_all(const char *job)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool gone = true;

	while (mounts && (mount = getmntent(mounts)))
		if (strcmp(mount->mnt_type, "cgroup") == 0 ||
		    strcmp(mount->mnt_type, "cgroup2") == 0)
			gone = sweep(AT_FDCWD, mount->mnt_dir, job, 0) && gone;
	if (mounts)
		(void)endmntent(mounts);
	return gone;
}

void cgroups_sweep(uint32_t job)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "job_%" PRIu32, job);
	for (int i = 0; i < TRIES_MAX && !sweep_all(name); i++)
		(void)poll(NULL, 0, PAUSE_MS);
}
