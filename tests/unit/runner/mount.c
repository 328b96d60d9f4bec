/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Plans carried out for real, on a directory as image, in namespaces of their own. A child
 * enters, mounts and looks around; what it saw comes back as text. Where the machine grants
 * no user namespace there is nothing to test.
 */
#include "runner/mount/mount.h"

#include "lib/image/image.h"
#include "runner/mount/ns.h"
#include "runner/mount/root.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_SIZE = 4096, REFUSED = 77 };

static char top[PATH_MAX]; /* the scratch folder */

static const char *in_top(const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static int turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void write_text(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("cannot write '%s'", path);
}

static void make_input(void)
{
	if (!getcwd(top, sizeof(top)))
		bail("where is this?");
	make_dir("image");
	make_dir("image/etc");
	make_dir("image/mnt");
	make_dir("image/tmp");
	make_dir("image/proc");
	make_dir("data");
	make_dir("data/sub");
	make_dir("outside");
	write_text("image/etc/passwd", "image");
	write_text("image/etc/hosts", "image");
	write_text("data/file", "data");
	if (symlink(in_top("outside"), "image/out") < 0 ||
	    symlink("../../../../../mnt", "image/up") < 0 || symlink("loop", "image/loop") < 0)
		bail("cannot make links");
}

static struct plan *new_plan(void)
{
	struct plan *plan = plan_new();

	if (!plan)
		bail("no memory");
	plan->engine = PLAN_ENGINE_NONE;
	plan->image = strdup(in_top("image"));
	plan->uid = plan->inner_uid = getuid();
	plan->gid = plan->inner_gid = getgid();
	return plan;
}

static const char *error_name(const char *text)
{
	switch (errno) {
	case 0:
		return text;
	case EROFS:
		return "EROFS";
	case ENOENT:
		return "ENOENT";
	}
	return strerror(errno);
}

/* "read PATH": its text; "make PATH": whether a file can be made; "mode PATH". Or the error. */
static void look(const char *what, FILE *out)
{
	const char *path = strchr(what, '/');
	char text[64] = "";
	struct stat st;
	auto_fd fd = -1;

	errno = 0;
	if (strncmp(what, "mode", 4) == 0 && lstat(path, &st) == 0) {
		(void)snprintf(text, sizeof(text), "%o", st.st_mode);
	} else if (strncmp(what, "make", 4) == 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		(void)snprintf(text, sizeof(text), "made");
	} else if (strncmp(what, "read", 4) == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			(void)!read(fd, text, sizeof(text) - 1);
	}
	(void)fprintf(out, "%s;", error_name(text));
}

static void (*before)(void); /* in the namespaces, with the host's tree still there */

static int child(const struct plan *plan, const char *const *looks, FILE *out)
{
	struct image *image = NULL;
	struct err err;

	if (image_open(plan->image, false, &image, &err) < 0) {
		(void)fprintf(out, "%s", err.text);
		return 1;
	}
	if (ns_enter(plan, &err) < 0)
		return REFUSED;
	if (before)
		before();
	if (root_mount_directory(image, &err) < 0 || mount_plan(plan, false, NULL, &err) < 0) {
		(void)fprintf(out, "%s", err.text);
		return 1;
	}
	while (*looks)
		look(*looks++, out);
	return 0;
}

/* What is seen by these looks once @plan is carried out, or the error's text. */
static const char *seen(const struct plan *plan, ...)
{
	static char text[TEXT_SIZE];
	const char *looks[16] = {NULL};
	va_list args;
	int ends[2], status;
	ssize_t got;
	size_t len = 0;
	pid_t pid;

	va_start(args, plan);
	for (size_t i = 0; i < COUNT_OF(looks) - 1 && (looks[i] = va_arg(args, const char *)); i++)
		;
	va_end(args);
	(void)fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		bail("cannot start a child");
	if (pid == 0) {
		FILE *out = fdopen(ends[1], "w");

		status = out ? child(plan, looks, out) : 1;
		if (out)
			(void)fflush(out);
		_exit(status);
	}
	(void)close(ends[1]);
	while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	(void)close(ends[0]);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return "a crash";
	return WEXITSTATUS(status) == REFUSED ? NULL : text;
}

static void must(int result, const struct err *err)
{
	if (result < 0)
		bail("%s", err->text);
}

static void a_directory_is_shown_where_the_image_has_one(void)
{
	char hosts[PATH_MAX + 64];
	struct err err;
	auto_plan *plan = new_plan();

	(void)snprintf(hosts, sizeof(hosts), "read %s", in_top("data/file"));
	must(plan_add_bind(plan, in_top("data"), "/mnt", 0, &err), &err);
	is_str(seen(plan, "read /mnt/file", "make /mnt/made", "read /etc/passwd", "make /etc/made",
		    hosts, NULL),
	       "data;made;image;EROFS;ENOENT;",
	       "a bind can be written to, the image not, and the host's tree is gone");
	ok(access("data/made", F_OK) == 0, "what is written there is the host's");
	(void)unlink("data/made");
}

static void a_place_that_the_image_lacks_is_made(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_bind(plan, in_top("data"), "/new/place", 0, &err), &err);
	must(plan_add_bind(plan, in_top("data/file"), "/etc/new", PLAN_ISFILE, &err), &err);
	is_str(seen(plan, "read /new/place/file", "read /etc/new", "read /etc/passwd", "make /x",
		    NULL),
	       "data;data;image;EROFS;", "a directory and a file, in a root that stays as it was");
	ok(access("image/new", F_OK) < 0 && access("image/etc/new", F_OK) < 0,
	   "nothing is made in the image itself");
}

static void mount_below_data(void)
{
	if (mount("none", in_top("data/sub"), "tmpfs", 0, NULL) < 0)
		_exit(REFUSED);
}

static void read_only_is_all_of_it(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	before = mount_below_data;
	must(plan_add_bind(plan, in_top("data"), "/mnt", PLAN_READONLY, &err), &err);
	is_str(seen(plan, "read /mnt/file", "make /mnt/made", "make /mnt/sub/made", NULL),
	       "data;EROFS;EROFS;", "a read-only bind, with what is mounted below it");
	before = NULL;
	ok(access("data/made", F_OK) < 0, "really");
}

static void links_of_the_image_do_not_lead_out(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_bind(plan, in_top("data"), "/up", 0, &err), &err);
	is_str(seen(plan, "read /mnt/file", NULL), "data;", "'..' stops at the root of the image");
	plan_free(take_ptr(&plan));
	plan = new_plan();
	must(plan_add_bind(plan, in_top("data"), "/out/x", 0, &err), &err);
	is_str(seen(plan, "read /out/x/file", NULL), "data;",
	       "an absolute link is one of the image's");
	ok(access("outside/x", F_OK) < 0, "nothing is made where it leads on the host");
	plan_free(take_ptr(&plan));
	plan = new_plan();
	must(plan_add_bind(plan, in_top("data"), "/loop/x", 0, &err), &err);
	ok(strstr(seen(plan, NULL), "'/loop") != NULL, "a loop is an error that names it");
}

static void a_missing_source_is_an_error_unless_optional(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_bind(plan, in_top("nosuch"), "/mnt", PLAN_OPTIONAL, &err), &err);
	is_str(seen(plan, "read /etc/passwd", NULL), "image;", "one that may be missing");
	must(plan_add_bind(plan, in_top("nosuch"), "/mnt", 0, &err), &err);
	ok(strstr(seen(plan, NULL), in_top("nosuch")) != NULL, "one that may not is named");
	plan_free(take_ptr(&plan));
	plan = new_plan();
	must(plan_add_bind(plan, in_top("data"), "/etc/passwd", 0, &err), &err);
	ok(strstr(seen(plan, NULL), "'/etc/passwd'") != NULL,
	   "a directory does not go over a file");
}

static void memory_can_be_mounted(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_bind(plan, in_top("data"), "/mnt", 0, &err), &err);
	must(plan_add_tmpfs(plan, "/mnt", 65536, 0, &err), &err);
	must(plan_add_tmpfs(plan, "/tmp", 0, PLAN_SHARED_MODE, &err), &err);
	must(plan_add_text(plan, PLAN_LINK, "/mnt/link", "/etc/passwd", &err), &err);
	is_str(seen(plan, "read /mnt/file", "make /mnt/made", "mode /mnt", "mode /tmp",
		    "read /mnt/link", NULL),
	       "ENOENT;made;40755;41777;image;",
	       "a later step covers an earlier one, and holds links");
	ok(access("data/made", F_OK) < 0, "and nothing of it reaches what is below");
}

static void small_files_go_over_those_of_the_image(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_text(plan, PLAN_FILE, "/etc/hosts", "ours", &err), &err);
	must(plan_add_text(plan, PLAN_PREFIX, "/etc/passwd", "ours ", &err), &err);
	must(plan_add_text(plan, PLAN_FILE, "/etc/none", "ours", &err), &err);
	is_str(seen(plan, "read /etc/hosts", "read /etc/passwd", "read /etc/none", NULL),
	       "ours;ours image;ours;", "in place of it, before it, or where it has none");
}

static void what_a_helper_says_is_a_file(void)
{
	struct err err;
	auto_plan *plan = new_plan();
	int whole[2], cut[2];

	if (pipe2(whole, O_CLOEXEC) < 0 || pipe2(cut, O_CLOEXEC) < 0 ||
	    write(whole[1], "said", 5) != 5 || write(cut[1], "sai", 3) != 3)
		bail("cannot make pipes");
	(void)close(whole[1]);
	(void)close(cut[1]);
	must(plan_add_pipe(plan, whole[0], "/etc/hosts", &err), &err);
	must(plan_add_pipe(plan, cut[0], "/etc/passwd", &err), &err);
	is_str(seen(plan, "read /etc/hosts", "read /etc/passwd", NULL), "said;image;",
	       "if it said it to the end");
}

static void an_overlay_takes_what_is_written(void)
{
	struct err err;
	auto_plan *plan = new_plan();

	must(plan_add_overlay(plan, NULL, &err), &err);
	must(plan_add_bind(plan, in_top("data"), "/new", 0, &err), &err);
	is_str(seen(plan, "make /etc/made", "read /etc/made", "read /new/file", NULL),
	       "made;;data;", "in memory, with mount points on top");
	ok(access("image/etc/made", F_OK) < 0, "the image stays as it is");
	is_str(seen(plan, "read /etc/made", NULL), "ENOENT;", "and nothing is kept");
	plan_free(take_ptr(&plan));
	plan = new_plan();
	must(plan_add_overlay(plan, in_top("nosuch"), &err), &err);
	ok(strstr(seen(plan, NULL), in_top("nosuch")) != NULL,
	   "a directory that is missing is named");
}

static void (*const tests[])(void) = {
	a_directory_is_shown_where_the_image_has_one,
	a_place_that_the_image_lacks_is_made,
	read_only_is_all_of_it,
	links_of_the_image_do_not_lead_out,
	a_missing_source_is_an_error_unless_optional,
	memory_can_be_mounted,
	small_files_go_over_those_of_the_image,
	what_a_helper_says_is_a_file,
	an_overlay_takes_what_is_written,
};

int main(void)
{
	scratch_begin();
	make_input();

	auto_plan *plan = new_plan();

	if (!seen(plan, NULL)) {
		printf("1..0 # SKIP this machine grants no user namespace\n");
		scratch_end();
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(tests); i++)
		tests[i]();
	scratch_end();
	return done_testing();
}
