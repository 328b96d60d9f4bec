/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/cgroups.h"

#include "lib/own.h"
#include "slurm-plugin/stepds.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8, TRIES_MAX = 40, PAUSE_MS = 50 };

static const char own_group[] = "firn";

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

/* The group of a job; while Slurm is @busy with it, only our own in it. */
static bool remove_job(int dir, const char *name, bool busy, int depth)
{
	auto_dir *group = busy ? open_in(dir, name) : NULL;

	if (!busy)
		return remove_group(dir, name, depth);
	if (group)
		(void)unlinkat(dirfd(group), own_group, AT_REMOVEDIR);
	return false;
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
static bool sweep(int dir, const char *name, const char *job, bool busy, int depth)
{
	auto_dir *opened = open_in(dir, name);
	struct dirent *entry;
	bool gone = true;

	while (opened && depth < DEPTH_MAX && (entry = readdir(opened))) {
		if (!is_group(entry))
			continue;
		if (strcmp(entry->d_name, job) == 0)
			gone = remove_job(dirfd(opened), entry->d_name, busy, depth) && gone;
		else if (leads_to_jobs(entry->d_name))
			gone = sweep(dirfd(opened), entry->d_name, job, busy, depth + 1) && gone;
	}
	return gone;
}

static bool sweep_all(const char *job, bool busy)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool gone = true;

	while (mounts && (mount = getmntent(mounts)))
		if (strcmp(mount->mnt_type, "cgroup") == 0 ||
		    strcmp(mount->mnt_type, "cgroup2") == 0)
			gone = sweep(AT_FDCWD, mount->mnt_dir, job, busy, 0) && gone;
	if (mounts)
		(void)endmntent(mounts);
	return gone;
}

void cgroups_sweep(uint32_t job)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "job_%" PRIu32, job);
	for (int i = 0; i < TRIES_MAX && !sweep_all(name, stepds_of_job(job)); i++)
		(void)poll(NULL, 0, PAUSE_MS);
}

/*
 * Where slurmstepd is in v2 (cgroups(7): "0::/.../job_JOB/step_STEP/slurm"), cut behind the job.
 * Returns false if that is no group of @job.
 */
static bool find_own(uint32_t job, char path[PATH_MAX])
{
	auto_file *file = fopen("/proc/self/cgroup", "re");
	char name[32];
	char *found = NULL;

	(void)snprintf(name, sizeof(name), "/job_%" PRIu32 "/", job);
	while (!found && file && fgets(path, PATH_MAX, file))
		if (strncmp(path, "0::/", 4) == 0)
			found = strstr(path, name);
	if (!found)
		return false;
	found[strlen(name) - 1] = '\0';
	memmove(path, path + 3, strlen(path + 3) + 1);
	return true;
}

/* The directory of the group @path, wherever its hierarchy is mounted. */
static int open_group(const char *path)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	int fd = -1;

	while (fd < 0 && mounts && (mount = getmntent(mounts))) {
		auto_fd top = -1;

		if (strcmp(mount->mnt_type, "cgroup2") == 0)
			top = open(mount->mnt_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (top >= 0)
			fd = openat(top, path + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (mounts)
		(void)endmntent(mounts);
	return fd;
}

int cgroups_of_job(uint32_t job, int *procs, struct err *err)
{
	char path[PATH_MAX];
	auto_fd group = -1, own = -1;

	*procs = -1;
	if (!find_own(job, path))
		return 0;
	group = open_group(path);
	if (group < 0)
		return err_set(err, "the control group '%s' is not to be found", path);
	if (mkdirat(group, own_group, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "cannot make the control group '%s/%s'", path, own_group);
	own = openat(group, own_group, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (own >= 0)
		*procs = openat(own, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return *procs < 0 ? err_sys(err, "cannot use the control group '%s/%s'", path, own_group)
			  : 0;
}
