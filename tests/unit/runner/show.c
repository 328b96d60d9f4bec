/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/show.h"

#include "runner/server/node.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

static struct opened opened;

static void make_input(void)
{
	struct err err;

	make_dir("tree");
	make_dir("tree/etc");
	make_dir("tree/run");
	make_dir("tree/var");
	make_file("tree/etc/passwd", CONTENT_TEXT, 100, 1);
	if (symlink("../run", "tree/var/run") < 0 || symlink("/run/deep/er", "tree/dangling") < 0 ||
	    symlink("loop", "tree/loop") < 0 || symlink("../../../../etc", "tree/up") < 0 ||
	    symlink("passwd", "tree/etc/link") < 0)
		bail("cannot make links");
	make_image("tree", "image.sqfs", "-comp zstd");
	if (opened_begin(&opened, "image.sqfs", 0, 0, &err) < 0)
		bail("%s", err.text);
}

static uint64_t node_of(const char *path)
{
	struct squashfs_inode inode;
	struct err err;

	if (squashfs_resolve(opened.reader, path, &inode, &err) != 1)
		bail("'%s' is not in the image", path);
	return node_of_ref(inode.ref, squashfs_info(opened.image)->root);
}

static struct show_tree *tree_of(const struct show *shows, size_t count, struct err *err)
{
	struct show_tree *tree = NULL;

	return show_tree_new(opened.reader, shows, count, &tree, err) < 0 ? NULL : tree;
}

static const struct shown *find(const struct show_tree *tree, uint64_t parent, const char *name)
{
	return show_find(tree, parent, name, strlen(name));
}

static void what_is_there_is_left_alone(void)
{
	const struct show shows[] = {{SHOW_DIR, "/etc", NULL, 0, 0},
				     {SHOW_EMPTY, "/etc/passwd", NULL, 0, 0}};
	const struct shown *shown;
	struct err err;
	auto_show_tree *tree = tree_of(shows, 2, &err);

	ok(tree != NULL, "mount points that the image has are fine");
	ok(!find(tree, NODE_ROOT, "etc"), "an existing directory is not shown twice");
	ok(!find(tree, node_of("/etc"), "passwd"), "nor is an existing file");
	ok(show_next(tree, NODE_ROOT, 0, &shown) == -1, "nothing is shown at all");
}

static void missing_directories_are_made_on_the_way(void)
{
	const struct show shows[] = {{SHOW_DIR, "/a/b/c", NULL, 0, 0},
				     {SHOW_EMPTY, "/a/file", NULL, 0, 0}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 2, &err);
	const struct shown *a = find(tree, NODE_ROOT, "a");
	const struct shown *b = a ? find(tree, a->id, "b") : NULL;
	const struct shown *c = b ? find(tree, b->id, "c") : NULL;
	const struct shown *file = a ? find(tree, a->id, "file") : NULL;

	ok(a && a->is_dir && b && b->is_dir && c && c->is_dir, "each component is a directory");
	ok(file && !file->is_dir && shown_size(file) == 0, "a file may lie in one of them");
	ok(a && show_get(tree, a->id) == a, "a node id leads back to what is shown");
	ok(!show_get(tree, NODE_SHOWN | 99), "one that was never given to nothing");
}

static void links_are_followed_inside_the_image(void)
{
	const struct show shows[] = {{SHOW_DIR, "/var/run/x", NULL, 0, 0},
				     {SHOW_DIR, "/dangling", NULL, 0, 0},
				     {SHOW_DIR, "/up/y", NULL, 0, 0},
				     {SHOW_DIR, "/var/run/../z", NULL, 0, 0}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 4, &err);
	const struct shown *deep = tree ? find(tree, node_of("/run"), "deep") : NULL;

	ok(tree && find(tree, node_of("/run"), "x"), "a relative link on the way");
	ok(deep && find(tree, deep->id, "er"),
	   "an absolute link at the end that leads nowhere yet");
	ok(tree && find(tree, node_of("/etc"), "y"), "too many .. stop at the root");
	ok(tree && find(tree, NODE_ROOT, "z"), ".. is that of where the link led");
}

static void a_loop_is_an_error(void)
{
	const struct show show = {SHOW_DIR, "/loop/x", NULL, 0, 0};
	struct err err;

	ok(!tree_of(&show, 1, &err), "a link to itself is refused");
	ok(strstr(err.text, "'/loop/x'") != NULL, "the message names the place");
}

static void a_file_is_no_directory(void)
{
	const struct show below = {SHOW_DIR, "/etc/passwd/x", NULL, 0, 0};
	const struct show dir = {SHOW_DIR, "/etc/passwd", NULL, 0, 0};
	const struct show file = {SHOW_EMPTY, "/etc", NULL, 0, 0};
	struct err err;

	ok(!tree_of(&below, 1, &err) && err.code == ENOTDIR, "nothing lies below a file");
	ok(!tree_of(&dir, 1, &err) && err.code == ENOTDIR, "a directory does not go over a file");
	ok(!tree_of(&file, 1, &err) && err.code == EISDIR, "nor a file over a directory");
}

static void text_goes_over_the_file_or_before_it(void)
{
	const struct show shows[] = {{SHOW_FILE, "/etc/hosts", "text", 4, 0},
				     {SHOW_PREFIX, "/etc/passwd", "me\n", 3, 0},
				     {SHOW_PREFIX, "/etc/group", "us\n", 3, 0},
				     {SHOW_FILE, "/var", "yes", 3, 0}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 4, &err);
	uint64_t etc = node_of("/etc");
	const struct shown *hosts = tree ? find(tree, etc, "hosts") : NULL;
	const struct shown *passwd = tree ? find(tree, etc, "passwd") : NULL;
	const struct shown *group = tree ? find(tree, etc, "group") : NULL;

	ok(hosts && shown_size(hosts) == 4, "a file that the image lacks");
	ok(passwd && passwd->has_base && shown_size(passwd) == 103,
	   "a prefix adds to the file's size");
	ok(group && !group->has_base && shown_size(group) == 3, "without a file it stands alone");
	ok(tree && find(tree, NODE_ROOT, "var"), "even a directory is replaced by a text");
}

static void a_text_takes_the_place_of_a_link(void)
{
	const struct show shows[] = {{SHOW_FILE, "/dangling", "text", 4, SHOW_LENIENT},
				     {SHOW_PREFIX, "/etc/link", "me\n", 3, SHOW_LENIENT},
				     {SHOW_LINK, "/loop", "/etc/x", 6, SHOW_LENIENT},
				     {SHOW_LINK, "/var", "/run", 4, SHOW_LENIENT}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 4, &err);
	const struct shown *file = tree ? find(tree, NODE_ROOT, "dangling") : NULL;
	const struct shown *prefix = tree ? find(tree, node_of("/etc"), "link") : NULL;
	const struct shown *link = tree ? find(tree, NODE_ROOT, "loop") : NULL;

	ok(file && shown_size(file) == 4, "of one that leads nowhere");
	ok(prefix && prefix->has_base && shown_size(prefix) == 103, "before what it leads to");
	ok(tree && !find(tree, node_of("/etc"), "passwd"), "which stays as it is");
	ok(link && link->is_link && !link->is_dir, "a link may be shown instead of one");
	link = tree ? find(tree, NODE_ROOT, "var") : NULL;
	ok(link && link->is_link && !link->is_dir, "even of a directory");
}

static void what_nobody_named_may_have_no_place(void)
{
	const struct show shows[] = {{SHOW_DIR, "/loop/x", NULL, 0, SHOW_LENIENT},
				     {SHOW_DIR, "/etc/passwd/x", NULL, 0, SHOW_LENIENT},
				     {SHOW_EMPTY, "/etc", NULL, 0, SHOW_LENIENT},
				     {SHOW_DIR, "/var/run/x", NULL, 0,
				      SHOW_LENIENT | SHOW_STRAIGHT},
				     {SHOW_DIR, "/run/y", NULL, 0, SHOW_LENIENT | SHOW_STRAIGHT}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 5, &err);

	ok(tree != NULL, "loops and files on the way are no errors then");
	ok(tree && !find(tree, node_of("/run"), "x"),
	   "and nothing goes through a link that must not");
	ok(tree && find(tree, node_of("/run"), "y"), "the rest is shown");
}

static void entries_are_counted_through(void)
{
	const struct show shows[] = {{SHOW_DIR, "/p", NULL, 0, 0},
				     {SHOW_DIR, "/etc/q", NULL, 0, 0},
				     {SHOW_DIR, "/r", NULL, 0, 0}};
	const struct shown *shown = NULL;
	struct err err;
	auto_show_tree *tree = tree_of(shows, 3, &err);
	int first = show_next(tree, NODE_ROOT, 0, &shown);
	int second;

	ok(first >= 0 && strcmp(shown->name, "p") == 0, "the first of a directory");
	second = show_next(tree, NODE_ROOT, first + 1, &shown);
	ok(second > first && strcmp(shown->name, "r") == 0, "the next one, past those of others");
	ok(show_next(tree, NODE_ROOT, second + 1, &shown) == -1, "and the end");
}

static void node_ids_say_all(void)
{
	ok(node_of_ref(5, 5) == NODE_ROOT && node_ref(NODE_ROOT, 5) == 5, "the root is 1");
	ok(node_of_ref(0, 5) == 2 && node_ref(2, 5) == 0, "reference 0 is an inode like others");
	ok(node_ref(node_of_ref(0xffffffffffffull, 5), 5) == 0xffffffffffffull,
	   "so is the largest");
	ok(!node_is_shown(node_of_ref(0xffffffffffffull, 5)),
	   "which is not taken for something shown");
}

static void a_link_leads_by_way_of_directories(void)
{
	const struct show shows[] = {{SHOW_DIR, "/var/host", NULL, 0, 0},
				     {SHOW_LINK, "/run", "/var/host/x", 11, 0},
				     {SHOW_LINK, "/etc/passwd", "/var/run/x", 10, 0},
				     {SHOW_LINK, "/etc/link", "/etc/passwd/x", 13, 0},
				     {SHOW_LINK, "/etc/new", "/nosuch/x", 9, 0}};
	struct err err;
	auto_show_tree *tree = tree_of(shows, 5, &err);
	const struct shown *run = tree ? find(tree, NODE_ROOT, "run") : NULL;

	ok(run && run->is_link, "a directory of the image is replaced");
	ok(tree && !find(tree, node_of("/etc"), "passwd"), "not by one by way of a symlink");
	ok(tree && !find(tree, node_of("/etc"), "link"), "... nor of a file");
	ok(tree && !find(tree, node_of("/etc"), "new"), "... nor of what is not there");
}

int main(void)
{
	if (!have_mksquashfs()) {
		printf("1..0 # SKIP there is no mksquashfs\n");
		return 0;
	}
	scratch_begin();
	make_input();
	what_is_there_is_left_alone();
	missing_directories_are_made_on_the_way();
	links_are_followed_inside_the_image();
	a_loop_is_an_error();
	a_file_is_no_directory();
	text_goes_over_the_file_or_before_it();
	a_text_takes_the_place_of_a_link();
	what_nobody_named_may_have_no_place();
	a_link_leads_by_way_of_directories();
	entries_are_counted_through();
	node_ids_say_all();
	opened_end(&opened);
	scratch_end();
	return done_testing();
}
