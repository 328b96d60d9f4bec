/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What the epilog takes away and ends, in a tree of plain directories in place of control groups.
 */
#include "lib/own.h"
#include "slurm-plugin/node/cgroups.h"
#include "slurm-plugin/node/jobs.h"
#include "slurm-plugin/node/stepds.h"
#include "tests/unit/folder.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char top[] = "/tmp/firn-test.XXXXXX";
static char **arguments;
static struct err err;
static bool broken;   /* no directory can be read */
static size_t unread; /* so many times the mounts cannot be read */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *__wrap_readdir(DIR *dir)
{
	if (!broken)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_setmntent(const char *path, const char *mode);

/* Where this process is said to be, and what is said to be mounted. */
FILE *__wrap_fopen(const char *path, const char *mode)
{
	return __real_fopen(strcmp(path, "/proc/self/cgroup") == 0 ? "self" : path, mode);
}

FILE *__wrap_setmntent(const char *path, const char *mode)
{
	(void)path;
	if (unread == 0)
		return __real_fopen("mounts", mode);
	unread--;
	return __real_fopen(".", mode); /* it opens, and then fails */
}

__attribute__((format(printf, 2, 3))) static void put(const char *path, const char *format, ...)
{
	FILE *file = __real_fopen(path, "w");
	va_list args;

	if (!file)
		return;
	va_start(args, format);
	(void)vfprintf(file, format, args);
	va_end(args);
	(void)fclose(file);
}

/* @path with all above it. */
static void make(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdir(part, 0755);
	}
	(void)mkdir(path, 0755);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void the_groups_of_a_job_are_removed(void)
{
	make("v1/slurm_node1/uid_7/job_7/step_0/task_0");
	make("v1/slurm_node1/uid_7/job_77/step_0");
	make("v1/user.slice/job_7");
	make("v2/system.slice/node1_slurmstepd.scope/job_7/firn");
	make("v2/system.slice/node1_slurmstepd.scope/job_8/firn");
	make("elsewhere/job_7");
	(void)!symlink("../../elsewhere", "v1/slurm_node1/uid_8");
	cgroups_sweep(7);
	ok(!is_there("v1/slurm_node1/uid_7/job_7"), "a job's groups are gone, in version 1");
	ok(!is_there("v2/system.slice/node1_slurmstepd.scope/job_7"), "... and 2");
	ok(is_there("v1/slurm_node1/uid_7/job_77/step_0"),
	   "those of a job whose number begins alike are there");
	ok(is_there("v2/system.slice/node1_slurmstepd.scope/job_8/firn"), "... and all others");
	ok(is_there("v1/user.slice/job_7"), "what is not Slurm's is not touched");
	ok(is_there("elsewhere/job_7"), "no link is followed");
}

static pid_t sleeping(void)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			(void)pause();
	return child;
}

static bool is_alive(pid_t child)
{
	return waitpid(child, NULL, WNOHANG) == 0;
}

/* What is listed was true when it was read. */
static void who_is_not_in_the_group_is_not_killed(void)
{
	pid_t other = sleeping();

	make("v1/slurm_node1/uid_7/job_9");
	put("v1/slurm_node1/uid_7/job_9/cgroup.procs", "0\n-1\nx\n1\n%d\n", (int)other);
	make("v2/system.slice/node1_slurmstepd.scope/job_9/firn");
	put("v2/system.slice/node1_slurmstepd.scope/job_9/firn/cgroup.kill", "-");
	cgroups_sweep(9);
	ok(is_alive(other), "a process whose number is listed, but in no such group, lives on");
	(void)kill(other, SIGKILL);
	(void)waitpid(other, NULL, 0);

	auto_file *file =
		__real_fopen("v2/system.slice/node1_slurmstepd.scope/job_9/firn/cgroup.kill", "r");
	ok(file && fgetc(file) == '1', "who serves a container with a name is killed");
}

/* A copy of this program with the title of a slurmstepd. */
static pid_t feign(const char *title, bool dumpable)
{
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_DUMPABLE, dumpable);
		(void)snprintf(arguments[0], strlen(arguments[0]) + 1, "%s", title);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	(void)!read(ready[0], &byte, 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return child;
}

static void is_stepd(const char *title, bool dumpable, bool wanted, const char *promise)
{
	pid_t child = feign(title, dumpable);

	ok(stepds_of_job(4000) == wanted, "%s", promise);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void a_title_makes_no_slurmstepd(void)
{
	bool root = getuid() == 0;
	char self[PATH_MAX] = "", copy[PATH_MAX];
	pid_t child;

	is_stepd("slurmstepd: [4000.0]", true, root, "a slurmstepd is root's");
	is_stepd("slurmstepd: [40001.0]", true, false, "... of this job");
	if (root) {
		(void)!setresuid(61234, 61234, 0);
		is_stepd("slurmstepd: [4000.0]", false, false,
			 "... by its real id, whatever /proc/PID belongs to");
		(void)!setresuid(0, 0, 0);
	} else {
		is_stepd("slurmstepd: [4000.0]", false, false, "... whatever /proc/PID belongs to");
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return;
	(void)snprintf(copy, sizeof(copy), "%s/other", top);
	if (link("/bin/sleep", copy) < 0 && symlink("/bin/sleep", copy) < 0)
		return;
	child = fork();
	if (child == 0) {
		(void)execl(copy, "slurmstepd: [4000.0]", "100", (char *)NULL);
		_exit(1);
	}
	while (stepds_of_job(1) || is_alive(child)) {
		char path[64], text[32] = "";
		auto_file *file = NULL;

		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)child);
		file = __real_fopen(path, "r");
		if (file && fgets(text, sizeof(text), file) && strncmp(text, "slurmstepd", 10) == 0)
			break;
	}
	ok(!stepds_of_job(4000), "... by the program that it executes");
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void a_group_beside_the_steps(void)
{
	int procs;

	make("v2/a/job_5/step_0/slurm");
	make("v2/a/job_5/firn");
	put("v2/a/job_5/firn/cgroup.procs", "%s", "");
	put("self", "4:memory:/slurm/uid_7/job_5/step_0\n0::/a/job_5/step_0/slurm\n");
	ok(cgroups_of_job(5, &procs, &err) == 0 && procs >= 0 && write(procs, "0", 1) == 1,
	   "a job of version 2 has one");
	(void)close(procs);
	put("self", "4:memory:/slurm/uid_7/job_5/step_0\n0::/\n");
	ok(cgroups_of_job(5, &procs, &err) == 0 && procs == -1, "one of version 1 has none");
	put("self", "0::/a/job_55/step_0/slurm\n");
	ok(cgroups_of_job(5, &procs, &err) == 0 && procs == -1, "nor has another job");
	put("self", "0::/b/job_5/step_0/slurm\n");
	ok(cgroups_of_job(5, &procs, &err) == -1, "a group that is not to be found");
	is_str(err.text, "the control group '/b/job_5' is not to be found", "... is told");
	make("v2/c/job_5/step_0");
	(void)!symlink("../../../elsewhere", "v2/c/job_5/firn");
	put("self", "0::/c/job_5/step_0\n");
	ok(cgroups_of_job(5, &procs, &err) == -1 && procs == -1, "a link is no group");
	(void)unlink("self");
	ok(cgroups_of_job(5, &procs, &err) == 0 && procs == -1, "a kernel without groups has none");
	(void)mkdir("self", 0755);
	ok(cgroups_of_job(5, &procs, &err) == -1 && procs == -1,
	   "where there is no telling it fails");
	(void)rmdir("self");
}

static void what_could_not_be_read_is_read_again(void)
{
	make("v2/system.slice/slurmstepd.scope/job_6");
	unread = 1;
	cgroups_sweep(6);
	ok(unread == 0 && !is_there("v2/system.slice/slurmstepd.scope/job_6"),
	   "a group is removed where the mounts could not be read at first");
	broken = true;
	ok(stepds_of_job(5), "where processes cannot be listed a slurmstepd may be there");
	broken = false;
}

static void a_job_with_a_container_is_noted(void)
{
	ok(jobs_end("run", 5, &err) == 0, "a job without a note, and no place for any");
	ok(jobs_begin("run", 5, &err) == 0 && jobs_begin("run", 5, &err) == 0 && is_there("run/5"),
	   "a job with a container is noted");
	ok(jobs_end("run", 55, &err) == 0, "another is not");
	ok(jobs_end("run", 5, &err) == 1 && !is_there("run/5"), "the note goes with the job");
	ok(jobs_end("run", 5, &err) == 0, "... once");
	(void)chmod("run", 0777);
	ok(jobs_begin("run", 5, &err) == -1 && jobs_end("run", 5, &err) == -1,
	   "where all can write nothing is noted");
}

int main(int argc, char **argv)
{
	(void)argc;
	arguments = argv;
	if (!mkdtemp(top) || chmod(top, 0755) < 0 || chdir(top) < 0)
		return 1;
	put("mounts",
	    "proc /proc proc rw 0 0\nm %s/v1 cgroup rw,memory 0 0\nc %s/v2 cgroup2 rw 0 0\n"
	    "e %s/elsewhere ext4 rw 0 0\n",
	    top, top, top);
	the_groups_of_a_job_are_removed();
	who_is_not_in_the_group_is_not_killed();
	a_group_beside_the_steps();
	what_could_not_be_read_is_read_again();
	a_job_with_a_container_is_noted();
	a_title_makes_no_slurmstepd();
	(void)!chdir("/");
	return folder_remove(top) ? done_testing() : 1;
}
