/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/plan.h"

#include "lib/image/image.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

static void a_bind_outside_the_image_is_refused(void)
{
	auto_plan *plan = plan_new();

	ok(plan_add_bind(plan, "/data", "/mnt/../../etc", 0, &err) == -1,
	   "a '..' target is refused");
	ok(strstr(err.text, "'/mnt/../../etc'") != NULL, "the message names the target");
	ok(plan_add_bind(plan, "/data", "mnt", 0, &err) == -1, "a relative target is refused");
	ok(plan_add_bind(plan, "/data", "/./", 0, &err) == -1, "nothing covers the root");
	ok(plan_add_tmpfs(plan, "//", 0, 0, &err) == -1, "no tmpfs either");
	ok(plan->count == 0, "nothing is planned then");
}

static void a_later_step_covers_an_earlier_one(void)
{
	auto_plan *plan = plan_new();

	(void)plan_add_bind(plan, "/home/a", "/home/a", 0, &err);
	ok(plan_covers(plan, 1, "/home/a/x"), "what lies below a bind is covered");
	ok(!plan_covers(plan, 0, "/home/a/x"), "but not before it");
	ok(!plan_covers(plan, 1, "/home/ab"), "names are compared by components");
	ok(plan_shows_host(plan, "/home/a/x"), "a bind of itself shows the host's own");
	(void)plan_add_tmpfs(plan, "/home/a/tmp", 0, 0, &err);
	ok(!plan_shows_host(plan, "/home/a/tmp/x"), "not where a tmpfs covers it");
	ok(plan_shows_host(plan, "/home/a/other"), "but beside");
	(void)plan_add_bind(plan, "/elsewhere", "/data", 0, &err);
	ok(!plan_shows_host(plan, "/data"), "a bind of another directory does not");
}

static void a_plan_prints_one_step_a_line(void)
{
	auto_plan *plan = plan_new();
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	plan->image = strdup("/i m\n.sqfs");
	plan->uid = plan->inner_uid = 1000;
	plan->gid = plan->inner_gid = 100;
	(void)plan_add_overlay(plan, NULL, &err);
	(void)plan_add_bind(plan, "/a b", "/c//d/", PLAN_READONLY, &err);
	(void)plan_add_tmpfs(plan, "/t", 65536, 0, &err);
	(void)plan_add_text(plan, PLAN_LINK, "/dev/fd", "/proc/self/fd", &err);
	plan_print(plan, out);
	(void)fclose(out);
	is_str(text,
	       "image /i\\040m\\012.sqfs engine=firn offset=0\n"
	       "user 1000=1000 group 100=100 capabilities=none\n"
	       "overlay tmpfs\n"
	       "bind /a\\040b /c/d ro\n"
	       "tmpfs /t size=65536\n"
	       "link /dev/fd /proc/self/fd\n",
	       "whatever the names hold");
}

/* The name of what @plan makes; compared, never printed. */
static const char *name_without(const struct plan *plan, unsigned without)
{
	static unsigned char digest[4][SHA256_SIZE];
	static int turn;
	struct sha256 hash;

	turn = (turn + 1) % 4;
	sha256_begin(&hash);
	plan_hash(plan, without, &hash);
	sha256_end(&hash, digest[turn]);
	return (const char *)digest[turn];
}

static const char *name_of(const struct plan *plan)
{
	return name_without(plan, 0);
}

static bool same(const char *one, const char *other)
{
	return memcmp(one, other, SHA256_SIZE) == 0;
}

static void what_makes_a_container_is_hashed(void)
{
	auto_plan *one = plan_new();
	auto_plan *other = plan_new();
	char *argv[] = {(char *)"true", NULL};
	const char *before;

	ok(same(name_of(one), name_of(other)), "two empty plans are the same");
	(void)plan_add_bind(one, "/a", "/b", 0, &err);
	(void)plan_add_bind(other, "/a", "/b", 0, &err);
	ok(same(name_of(one), name_of(other)), "the same steps make the same container");
	before = name_of(one);
	one->argv = one->env = one->cwd = argv;
	ok(same(name_of(one), before), "whatever runs in it, in which environment, where");
	one->argv = one->env = one->cwd = NULL;
	other->step[0].flags = PLAN_READONLY;
	ok(!same(name_of(one), name_of(other)), "a flag makes another");
	other->step[0].flags = 0;
	other->inner_uid = 1;
	ok(!same(name_of(one), name_of(other)), "so does another user inside");
	other->inner_uid = 0;
	(void)plan_add_text(one, PLAN_FILE, "/c", "de", &err);
	(void)plan_add_text(other, PLAN_FILE, "/cd", "e", &err);
	ok(!same(name_of(one), name_of(other)), "texts do not run into one another");
}

static void steps_can_be_left_out_of_the_hash(void)
{
	auto_plan *one = plan_new();
	auto_plan *other = plan_new();

	(void)plan_add_bind(one, "/a", "/b", 0, &err);
	(void)plan_add_bind(other, "/a", "/b", 0, &err);
	(void)plan_add_bind(other, "/here", "/here", PLAN_OPTIONAL | PLAN_CWD, &err);
	ok(!same(name_of(one), name_of(other)), "where somebody stands makes another container");
	ok(same(name_without(one, PLAN_CWD), name_without(other, PLAN_CWD)),
	   "unless that is left out");
}

static void some_directories_are_the_images(void)
{
	static const char *const trees[] = {"/usr",   "/usr/local/x", "/etc/x",	 "/dev/shm",
					    "/opt/x", "/root",	      "/",	 "/home",
					    "/var",   "/run",	      "/var/lib"};
	static const char *const others[] = {"/home/u", "/var/lib/x",  "/scratch",
					     "/usr2",	"/run/user/1", "/tmp"};

	for (size_t i = 0; i < COUNT_OF(trees); i++)
		ok(plan_is_images(trees[i], false), "%s is", trees[i]);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		ok(!plan_is_images(others[i], false), "%s is not", others[i]);
	ok(!plan_is_images("/root", true) && !plan_is_images("/opt/x", true),
	   "homes may lie in two of them");
	ok(plan_is_images("/usr/x", true) && plan_is_images("/opt", true), "and in no other");
}

static void personal_steps_make_no_other_container(void)
{
	auto_plan *one = plan_new();
	auto_plan *other = plan_new();

	(void)plan_add_bind(other, "/dev/pts/3", "/dev/console", PLAN_PERSONAL, &err);
	ok(same(name_of(one), name_of(other)), "a terminal of this process does not count");
	(void)plan_add_bind(other, "/none", "/none", PLAN_MISSING, &err);
	ok(!plan_covers(other, other->count, "/none/x") && !plan_shows_host(other, "/none"),
	   "what is missing shows nothing");
}

/* An image that nobody opened: a plan looks at its name and its place. */
static struct image *image_of(const char *path)
{
	struct image *image = calloc(1, sizeof(*image));

	image->path = strdup(path);
	image->fd = -1;
	image->offset = 4096;
	return image;
}

static void data_images_are_steps(void)
{
	auto_plan *plan = plan_new();
	auto_plan *other = plan_new();
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int added = 0;

	ok(plan_add_image(plan, image_of("/x"), "/", NULL, 0, &err) == -1 &&
		   plan_add_image(plan, image_of("/x"), "/d", "/a/../b", 0, &err) == -1 &&
		   plan->count == 0,
	   "not over the root, nor of a directory by ..");
	(void)plan_add_image(plan, image_of("/x"), "/d", "/a//b/", 0, &err);
	(void)plan_add_image(other, image_of("/x"), "/d", "/", 0, &err);
	ok(!same(name_of(plan), name_of(other)), "which directory it is matters");
	ok(other->count == 1 && other->step[0].content == NULL, "the root is all of it");
	ok(plan_covers(plan, 1, "/d/e") && !plan_shows_host(plan, "/d"),
	   "what lies below is covered, and not the host's");
	plan->image = strdup("/i");
	plan_print(plan, out);
	(void)fclose(out);
	ok(strstr(text, "\ndata /x /d offset=4096 /a/b\n") != NULL, "it is printed");
	while (added < 2 * PLAN_IMAGES_MAX &&
	       plan_add_image(other, image_of("/x"), "/d", NULL, 0, &err) == 0)
		added++;
	ok(other->count == PLAN_IMAGES_MAX && strstr(err.text, "32 data images") != NULL,
	   "there is an end to them");
}

int main(void)
{
	some_directories_are_the_images();
	personal_steps_make_no_other_container();
	a_bind_outside_the_image_is_refused();
	a_later_step_covers_an_earlier_one();
	a_plan_prints_one_step_a_line();
	data_images_are_steps();
	what_makes_a_container_is_hashed();
	steps_can_be_left_out_of_the_hash();
	return done_testing();
}
