/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is a mistake where a job is typed, and what only the nodes can tell. */
#include "slurm-plugin/submit/visible.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that is no local place, whatever the test's own is. */
#define FOLDER "/mnt/shared"

static char path[256];
static struct err err, warned;
static int warnings;

static void warn(const struct err *what)
{
	warned = *what;
	warnings++;
}

static const char *in(const char *name)
{
	(void)snprintf(path, sizeof(path), FOLDER "/%s", name);
	return path;
}

static void images(void)
{
	static const char *const systems[] = {"/opt/firn-nosuch.sqfs", "/var/firn-nosuch.sqfs",
					      "/local/firn-nosuch.sqfs", "/usr/firn-nosuch.sqfs",
					      "/var/lib/firn-nosuch.sqfs"};

	ok(visible_path(in("there")) == VISIBLE_THERE, "one that is there");
	ok(visible_path(in("nosuch.sqfs")) == VISIBLE_MISSING, "one that is not");
	ok(visible_path(in("there/nosuch.sqfs")) == VISIBLE_MISSING, "... in a directory");
	ok(visible_path(in("nosuch/a.sqfs")) == VISIBLE_UNKNOWN, "one whose directory is not");
	ok(visible_path("/nosuch.sqfs") == VISIBLE_UNKNOWN, "one in /");
	for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
		ok(visible_path(systems[i]) == VISIBLE_UNKNOWN, "one of the nodes' in %s",
		   systems[i]);
	ok(visible_path("/tmp/firn-nosuch.sqfs") == VISIBLE_UNKNOWN &&
		   visible_path("/dev/shm/firn-nosuch") == VISIBLE_UNKNOWN,
	   "one on a local disk");
	(void)setenv("TMPDIR", FOLDER, 1);
	ok(visible_path(in("nosuch.sqfs")) == VISIBLE_UNKNOWN, "one in $TMPDIR");
	(void)setenv("TMPDIR", "/", 1);
	ok(visible_path(in("nosuch.sqfs")) == VISIBLE_MISSING, "which is not everything");
	(void)unsetenv("TMPDIR");
	(void)setenv("FIRN_CONTAINER", "x", 1);
	ok(visible_path(in("nosuch.sqfs")) == VISIBLE_THERE, "nothing is known in a container");
	(void)unsetenv("FIRN_CONTAINER");
}

static int mounts(const char *list)
{
	warnings = 0;
	return visible_mounts(list, warn, &err);
}

static void sources(void)
{
	ok(mounts(FOLDER ":/a," FOLDER "/there:/b:ro") == 0 && warnings == 0, "what is there");
	ok(mounts(FOLDER ":/a," FOLDER "/nosuch:/b:ro") < 0 &&
		   strstr(err.text, "/nosuch' does not exist"),
	   "what is not there is named");
	ok(mounts(FOLDER "/a\\,b:/a," FOLDER "/c\\:d") == 0 && warnings == 0,
	   "names with comma and colon");
	ok(mounts("/firn-nosuch:/a") == 0 && warnings == 1, "the nodes may have a file system");
	ok(strstr(warned.text, "'/firn-nosuch' does not exist here"), "which is told");
	ok(mounts("/opt/firn-nosuch:/a,/usr/firn-nosuch") == 0 && warnings == 2,
	   "... and other software");
	ok(mounts("tmpfs:/a") == 0 && warnings == 0, "an empty file system has no source");
	ok(visible_mounts(NULL, warn, &err) == 0, "no mounts");
}

static bool workdir_refused(const char *dir, const char *list, const char *firn)
{
	return visible_workdir(dir, FOLDER "/there", list, firn, &err) < 0;
}

/* Who is asked says by its status: false(1) that it is not in the image. */
static void workdirs(void)
{
	ok(workdir_refused("/firn-nosuch", NULL, "/bin/false"), "one that is nowhere");
	ok(strstr(err.text, "'/firn-nosuch' is no directory of '" FOLDER "/there'"), "is named");
	ok(!workdir_refused("/firn-nosuch", NULL, "/bin/true"), "one of the image");
	ok(!workdir_refused("/firn-nosuch", NULL, "/nosuch/firn"), "who cannot be asked");
	ok(!workdir_refused(FOLDER, NULL, "/bin/false"), "one that is here, as the home is");
	ok(!workdir_refused("/data/a", FOLDER ":/data", "/bin/false"), "one in a mount");
	ok(!workdir_refused("/data", FOLDER ":/data/a/b", "/bin/false"), "one above a mount");
	ok(!workdir_refused("/data/a", "tmpfs:/data", "/bin/false"), "one in an empty mount");
	ok(!workdir_refused("/firn-nosuch/a", "/firn-nosuch", "/bin/false"), "the same place");
	ok(workdir_refused("/database", FOLDER ":/data", "/bin/false"), "a longer name");
	ok(visible_workdir("/firn-nosuch", FOLDER "/none", NULL, "/bin/false", &err) == 0 &&
		   visible_workdir("/firn-nosuch", NULL, NULL, "/bin/false", &err) == 0,
	   "no image, no telling");
}

static bool is_reference(const char *name, const char *pull)
{
	char wanted[200];

	(void)snprintf(wanted, sizeof(wanted), "'firn pull %s'", pull);
	return visible_is_no_reference(name, &err) < 0 && strstr(err.text, wanted);
}

static void references(void)
{
	ok(is_reference("docker://a.b/c:1", "a.b/c:1"), "a scheme");
	ok(is_reference("nvcr.io#nvidia/pytorch:24", "nvcr.io/nvidia/pytorch:24"), "a #");
	ok(is_reference("ubuntu:22.04", "ubuntu:22.04"), "a tag");
	ok(visible_is_no_reference("image.sqfs", &err) == 0, "a file's name");
	ok(visible_is_no_reference("/a:b/c:d", &err) == 0 &&
		   visible_is_no_reference("./c:d", &err) == 0,
	   "a path");
	ok(chdir(FOLDER) == 0 && visible_is_no_reference("c:d", &err) == 0, "a file that is there");
}

static bool write_text(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	(void)close(fd);
	return done;
}

static bool make_folder(void)
{
	char users[64], groups[64];

	(void)snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
	(void)snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", users) &&
	       write_text("/proc/self/gid_map", groups) &&
	       mount("none", "/mnt", "tmpfs", 0, NULL) == 0 && mkdir(FOLDER, 0755) == 0;
}

int main(void)
{
	static const char *const files[] = {"there", "a,b", "c:d"};

	(void)unsetenv("TMPDIR");
	(void)unsetenv("FIRN_CONTAINER");
	if (!make_folder()) {
		printf("1..0 # SKIP no file system can be mounted at /mnt here\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)mkdir(in(files[i]), 0755);
	images();
	sources();
	workdirs();
	references();
	return done_testing();
}
