/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/cgroups.h"

#include "lib/own.h"
#include "slurm-plugin/node/process.h"
#include "slurm-plugin/node/stepds.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	DEPTH_MAX = 8,
	TRIES_MAX = 40,
	PAUSE_MS = 50,
	GRACE = 4,	/* tries, in which what serves a container ends by itself */
	ROUNDS_MAX = 64 /* through a group whose processes fork while they are killed */
};

/* What is swept. */
struct sweep {
	const char *job; /* "job_7" */
	bool busy;	 /* a slurmstepd of the job's is still there */
	bool kill;
};

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

/* Kill process @pid of the group that ends with @end, if it is there still and not root's. */
static bool kill_in(const char *pid, const char *end)
{
	auto_fd process = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	auto_fd proc = process < 0 ? -1 : open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd look = proc < 0 ? -1 : process_open(proc, pid);

	/* Looked at by its number, but signalled by the descriptor, which is older: it is the same,
	 * or gone. */
	return look >= 0 && process_is_in_group(look, end) && !process_is_roots(look) &&
	       syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0;
}

/* Returns whether anything was. */
static bool kill_listed(int group, const char *end)
{
	int fd = openat(group, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_file *procs = fd < 0 ? NULL : fdopen(fd, "r");
	bool any = false;
	char pid[32];

	if (!procs && fd >= 0)
		(void)close(fd);
	while (procs && fgets(pid, sizeof(pid), procs)) {
		pid[strcspn(pid, "\n")] = '\0';
		any = kill_in(pid, end) || any;
	}
	return any;
}

/*
 * What runs firn session-start is the user's, who can trace it and make it do anything, and stands
 * where Slurm does not look: in v1 in the job's own group, in v2, for a container with a name, in
 * ours. Steps' groups are Slurm's to empty.
 */
static void kill_all(int group, const char *job)
{
	auto_fd own = openat(group, "firn/cgroup.kill", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	char end[40];

	(void)snprintf(end, sizeof(end), "/%s", job);
	if (own >= 0)
		(void)!write(own, "1", 1);
	for (int i = 0; i < ROUNDS_MAX && kill_listed(group, end); i++)
		;
}

/* The group of a job; while Slurm is busy with it, only our own in it. */
static bool remove_job(int dir, const struct sweep *sweep, int depth)
{
	auto_dir *group = sweep->busy || sweep->kill ? open_in(dir, sweep->job) : NULL;

	if (group && sweep->kill)
		kill_all(dirfd(group), sweep->job);
	if (!sweep->busy)
		return remove_group(dir, sweep->job, depth);
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

/* Returns whether all groups of the job below are gone. */
static bool sweep_below(int dir, const char *name, const struct sweep *sweep, int depth)
{
	auto_dir *opened = open_in(dir, name);
	struct dirent *entry;
	bool gone = true;

	if (!opened)
		return errno == ENOENT || errno == ENOTDIR;
	for (errno = 0; depth < DEPTH_MAX && (entry = readdir(opened)); errno = 0) {
		if (!is_group(entry))
			continue;
		if (strcmp(entry->d_name, sweep->job) == 0)
			gone = remove_job(dirfd(opened), sweep, depth) && gone;
		else if (leads_to_jobs(entry->d_name))
			gone = sweep_below(dirfd(opened), entry->d_name, sweep, depth + 1) && gone;
	}
	return gone && errno == 0;
}

static bool sweep_all(const struct sweep *sweep)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool gone = mounts;

	while (mounts && (mount = getmntent(mounts)))
		if (strcmp(mount->mnt_type, "cgroup") == 0 ||
		    strcmp(mount->mnt_type, "cgroup2") == 0)
			gone = sweep_below(AT_FDCWD, mount->mnt_dir, sweep, 0) && gone;
	if (mounts) {
		gone = gone && !ferror(mounts);
		(void)endmntent(mounts);
	}
	return gone;
}

void cgroups_sweep(uint32_t job)
{
	struct sweep sweep;
	char name[32];

	(void)snprintf(name, sizeof(name), "job_%" PRIu32, job);
	for (int i = 0; i < TRIES_MAX; i++) {
		sweep = (struct sweep){name, stepds_of_job(job), i >= GRACE};
		if (sweep_all(&sweep))
			return;
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

/*
 * Where slurmstepd is in v2 (cgroups(7): "0::/.../job_JOB/step_STEP/slurm"), cut behind the job.
 * Returns 1, 0 if that is no group of @job, or -1 with @err.
 */
static int find_own(uint32_t job, char path[PATH_MAX], struct err *err)
{
	auto_file *file = fopen("/proc/self/cgroup", "re");
	char name[32];
	char *found = NULL;

	(void)snprintf(name, sizeof(name), "/job_%" PRIu32 "/", job);
	if (!file && errno == ENOENT) /* a kernel without any */
		return 0;
	while (!found && file && fgets(path, PATH_MAX, file))
		if (strncmp(path, "0::/", 4) == 0)
			found = strstr(path, name);
	if (!found)
		return file && !ferror(file)
			       ? 0
			       : err_sys(err, "cannot tell the control group of this step");
	found[strlen(name) - 1] = '\0';
	memmove(path, path + 3, strlen(path + 3) + 1);
	return 1;
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
	int found;

	*procs = -1;
	found = find_own(job, path, err);
	if (found <= 0)
		return found;
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
