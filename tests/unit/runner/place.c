/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/place.h"

#include "lib/own.h"
#include "tests/unit/folder.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static char scratch[] = "/tmp/firn-place.XXXXXX";
static int root = -1;

/* 0 when there is such a place, else the error. */
static int opens(const char *target, unsigned flags)
{
	struct plan_step step = {.kind = PLAN_BIND, .flags = flags, .target = (char *)target};
	auto_fd fd = place_open(root, &step);

	return fd >= 0 ? 0 : errno;
}

/* Whether the place of a file is the symlink itself. */
static bool is_link(const char *target)
{
	struct plan_step step = {.kind = PLAN_BIND,
				 .flags = PLAN_REPLACE,
				 .target = (char *)target};
	auto_fd fd = place_open(root, &step);
	struct stat stat_;

	return fd >= 0 && fstat(fd, &stat_) == 0 && S_ISLNK(stat_.st_mode);
}

static void what_is_there_is_covered_by_its_own_name(void)
{
	ok(opens("/full", PLAN_IMPLICIT) == 0, "a directory with files");
	ok(opens("/full/file", PLAN_IMPLICIT) == 0, "a file");
	ok(opens("/full", PLAN_CWD) == 0, "the working directory");
	ok(opens("/none", PLAN_IMPLICIT) == ENOENT, "what is missing is missing");
}

static void through_a_symlink_nothing_of_the_image_is(void)
{
	ok(opens("/to-full", PLAN_IMPLICIT) == ENOTEMPTY, "not a directory with files");
	ok(opens("/to-full/file", PLAN_IMPLICIT) == ENOTEMPTY, "nor a file below");
	ok(opens("/to-deep", PLAN_IMPLICIT) == ENOTEMPTY, "nor with files far below");
	ok(opens("/to-self", PLAN_IMPLICIT) == ENOTEMPTY, "a symlink in it is a file, too");
	ok(opens("/to-empty", PLAN_IMPLICIT) == 0, "an empty one may be");
	ok(opens("/to-points", PLAN_IMPLICIT) == 0, "and one of empty directories and files");
	ok(opens("/to-full/none", PLAN_IMPLICIT) == ENOENT, "what is missing there may be made");
	ok(opens("/loop", PLAN_IMPLICIT) == ELOOP, "a loop is no place");
}

static void the_working_directory_takes_no_symlink(void)
{
	ok(opens("/to-empty", PLAN_CWD) == ELOOP, "not at the end");
	ok(opens("/to-full/none", PLAN_CWD) == ELOOP, "nor on the way");
}

static void a_file_replaces_a_name(void)
{
	ok(is_link("/to-full"), "the link itself");
	ok(is_link("/dangling"), "also one that leads nowhere");
	ok(!is_link("/full/file") && opens("/full/file", PLAN_REPLACE) == 0, "or the file");
}

static void reasons_are_told_apart(void)
{
	ok(place_is_none(ENOENT) && place_is_none(ELOOP) && place_is_none(ENOTEMPTY), "no place");
	ok(!place_is_none(ENOTCONN) && !place_is_none(EIO) && !place_is_none(ENOMEM),
	   "a broken root");
}

int main(void)
{
	auto_fd file = -1;

	if (!mkdtemp(scratch) || chdir(scratch) < 0 || mkdir("full", 0755) < 0 ||
	    mkdir("empty", 0755) < 0 || mkdir("points", 0755) < 0 || mkdir("points/a", 0755) < 0 ||
	    mkdir("points/a/b", 0755) < 0 || mkdir("deep", 0755) < 0 || mkdir("deep/a", 0755) < 0 ||
	    mkdir("self", 0755) < 0 || symlink("/x", "self/x") < 0 ||
	    symlink("/full", "to-full") < 0 || symlink("empty", "to-empty") < 0 ||
	    symlink("points", "to-points") < 0 || symlink("deep", "to-deep") < 0 ||
	    symlink("self", "to-self") < 0 || symlink("loop", "loop") < 0 ||
	    symlink("/no/where", "dangling") < 0)
		return 1;
	file = open("full/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (write(file, "x", 1) != 1 || link("full/file", "deep/a/file") < 0)
		return 1;
	own_close(&file);
	file = open("points/a/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	what_is_there_is_covered_by_its_own_name();
	through_a_symlink_nothing_of_the_image_is();
	the_working_directory_takes_no_symlink();
	a_file_replaces_a_name();
	reasons_are_told_apart();
	return folder_remove(scratch) ? done_testing() : 1;
}
