/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/path.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

static bool tidies_to(const char *path, const char *wanted)
{
	auto_free char *tidy = NULL;

	return path_tidy(path, &tidy, &err) == 0 && strcmp(tidy, wanted) == 0;
}

static void paths_are_tidied(void)
{
	char *out;

	ok(tidies_to("/", "/"), "the root");
	ok(tidies_to("//a///b/./c/", "/a/b/c"), "slashes and dots go");
	ok(tidies_to("/a/..b/...", "/a/..b/..."), "names that only begin with dots stay");
	ok(path_tidy("/a/../b", &out, &err) < 0 && strstr(err.text, "'/a/../b' contains '..'"),
	   "'..'");
	ok(path_tidy("/a/..", &out, &err) < 0, "also at the end");
	ok(path_tidy("a", &out, &err) < 0 && strstr(err.text, "not an absolute"),
	   "a relative path");
	ok(path_tidy("", &out, &err) < 0, "no path");
}

static void below_goes_by_components(void)
{
	ok(path_is_below("/scratch/x", "/scratch"), "/scratch/x is below /scratch");
	ok(path_is_below("/scratch", "/scratch/"), "/scratch is below itself");
	ok(!path_is_below("/scratch2", "/scratch"), "/scratch2 is not");
	ok(path_is_below("/x", "/"), "everything is below the root");
}

static void a_path_is_one_word(void)
{
	auto_free char *quoted = path_quote("/a b\n'\\\303\244\302\233");

	is_str(quoted, "/a\\040b\\012\\047\\134\303\244\\302\\233",
	       "blanks and control bytes are written as numbers");
}

static char scratch[] = "/tmp/firn-path.XXXXXX";

typedef int open_function(int root, const char *path, int flags);

/* Whether @path leads to the file "inside" of the test's root. */
static bool leads_inside(open_function *open_in, int root, const char *path)
{
	auto_fd fd = open_in(root, path, O_RDONLY);
	char text[16] = "";

	return fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0 && strcmp(text, "inside") == 0;
}

static bool fails_with(open_function *open_in, int root, const char *path, int flags, int code)
{
	auto_fd fd = open_in(root, path, flags);

	return fd < 0 && errno == code;
}

static void make_tree(void)
{
	static const char *const links[][2] = {
		{"/etc/passwd", "absolute"}, {"../../../../../etc/passwd", "etc/deep/dots"},
		{"/etc", "dir"},	     {"loop", "loop"},
		{"/nowhere", "dangling"},
	};
	auto_fd root = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd file = -1;

	(void)mkdirat(root, "etc", 0755);
	(void)mkdirat(root, "etc/deep", 0755);
	file = openat(root, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ok(file >= 0 && write(file, "inside", 6) == 6, "a tree to look at");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (symlinkat(links[i][0], root, links[i][1]) < 0)
			ok(false, "the test can make its links");
}

static void nothing_leads_out(open_function *open_in, const char *name)
{
	auto_fd root = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd top = -1;
	struct stat ours, theirs;

	ok(leads_inside(open_in, root, "/etc/passwd"), "%s: a plain path", name);
	ok(leads_inside(open_in, root, "absolute"), "%s: an absolute symlink", name);
	ok(leads_inside(open_in, root, "etc/deep/dots"), "%s: a symlink full of '..'", name);
	ok(leads_inside(open_in, root, "/dir/deep/../passwd"), "%s: '..' behind a symlink", name);
	ok(leads_inside(open_in, root, "../../etc/passwd"), "%s: '..' at the top", name);
	ok(fails_with(open_in, root, "loop", O_RDONLY, ELOOP), "%s: a loop ends", name);
	ok(fails_with(open_in, root, "dangling", O_RDONLY, ENOENT), "%s: a dangling link", name);
	ok(fails_with(open_in, root, "etc/passwd/x", O_RDONLY, ENOTDIR),
	   "%s: a file is no directory", name);
	ok(fails_with(open_in, root, "none/x", O_RDONLY, ENOENT), "%s: a missing directory", name);
	top = open_in(root, "/..", O_PATH);
	ok(top >= 0 && fstat(top, &ours) == 0 && fstat(root, &theirs) == 0 &&
		   ours.st_ino == theirs.st_ino,
	   "%s: above the top is the top", name);
}

static void clean_up(void)
{
	static const char *const names[] = {"absolute", "etc/deep/dots", "dir",
					    "loop",	"dangling",	 "etc/passwd"};
	auto_fd root = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(root, names[i], 0);
	(void)unlinkat(root, "etc/deep", AT_REMOVEDIR);
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
	(void)rmdir(scratch);
}

static void a_straight_path_has_no_symlink(open_function *open_straight, const char *name)
{
	auto_fd root = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd there = -1;
	auto_fd through = -1;

	if (mkdirat(root, "plain", 0755) < 0 || mkdirat(root, "plain/sub", 0755) < 0 ||
	    symlinkat("plain", root, "straight") < 0)
		return;
	there = open_straight(root, "/plain/sub", O_PATH);
	ok(there >= 0, "%s: a plain path", name);
	through = open_straight(root, "/straight/sub", O_PATH);
	ok(through < 0 && errno == ELOOP, "%s: a link on the way", name);
	through = open_straight(root, "/straight", O_PATH);
	ok(through < 0 && errno == ELOOP, "%s: a link at the end", name);
	through = open_straight(root, "/none/straight", O_PATH);
	ok(through < 0 && errno == ENOENT, "%s: what is missing comes first", name);
	(void)(unlinkat(root, "straight", 0) == 0 &&
	       unlinkat(root, "plain/sub", AT_REMOVEDIR) == 0 &&
	       unlinkat(root, "plain", AT_REMOVEDIR) == 0);
}

static bool cleans_to(const char *text, const char *wanted)
{
	auto_free char *clean = path_clean(text);

	return clean && strcmp(clean, wanted) == 0;
}

static void a_working_directory_is_below_the_root(void)
{
	ok(cleans_to("/work", "/work"), "an absolute one");
	ok(cleans_to("work/space", "/work/space"), "a relative one");
	ok(cleans_to("./work//space/.", "/work/space"), "dots and slashes go");
	ok(cleans_to("/work/../space", "/space"), "'..' by words");
	ok(cleans_to("../../etc", "/etc"), "not above the root");
	ok(cleans_to("a/b/../../..", "/"), "at most the root");
	ok(cleans_to("...", "/..."), "a name of dots");
	ok(cleans_to("", "/") && cleans_to("/", "/"), "nothing is the root");
}

int main(void)
{
	paths_are_tidied();
	below_goes_by_components();
	a_path_is_one_word();
	a_working_directory_is_below_the_root();
	if (!mkdtemp(scratch))
		return 1;
	make_tree();
	nothing_leads_out(path_open_in, "openat2");
	nothing_leads_out(path_walk_in, "by components");
	a_straight_path_has_no_symlink(path_open_straight, "openat2");
	a_straight_path_has_no_symlink(path_walk_straight, "by components");
	clean_up();
	return done_testing();
}
