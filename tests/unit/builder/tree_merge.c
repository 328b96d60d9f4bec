/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Layers laid on each other: what tree_merge.c's head promises, rule by rule. */
#include "builder/squash/tree.h"

#include "lib/log.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

/* One layer's entries in a row; names and inodes live as long as the program. */
struct layer {
	struct entry entry[20];
	size_t count;
};

static struct inode *inode_of(mode_t mode, const char *target)
{
	static struct inode inodes[200];
	static size_t used;
	struct inode *inode = &inodes[used++];

	inode->mode = mode;
	inode->target = target;
	return inode;
}

static struct entry *add(struct layer *layer, enum entry_kind kind, const char *path)
{
	struct entry *entry = &layer->entry[layer->count++];

	*entry = (struct entry){.kind = kind, .path = path};
	return entry;
}

static struct inode *file(struct layer *layer, const char *path)
{
	return add(layer, ENTRY_INODE, path)->inode = inode_of(S_IFREG | 0644, NULL);
}

static struct inode *folder(struct layer *layer, const char *path, mode_t mode)
{
	return add(layer, ENTRY_INODE, path)->inode = inode_of(S_IFDIR | mode, NULL);
}

static void symlink_to(struct layer *layer, const char *path, const char *target)
{
	add(layer, ENTRY_INODE, path)->inode = inode_of(S_IFLNK | 0777, target);
}

static void hardlink(struct layer *layer, const char *path, const char *target)
{
	add(layer, ENTRY_HARDLINK, path)->target = target;
}

static struct tree *new_tree(void)
{
	struct tree *tree = NULL;
	struct err err;

	if (tree_new(0, NULL, &tree, &err) < 0)
		printf("Bail out! %s\n", err.text);
	return tree;
}

static int apply(struct tree *tree, uint32_t number, struct layer *layer, struct err *err)
{
	return tree_apply(tree, number, layer->entry, layer->count, err);
}

static const struct inode *at(const struct tree *tree, const char *path)
{
	const struct node *node = tree_find(tree, path);

	return node ? node->inode : NULL;
}

static void whiteouts_hide_what_is_below(void)
{
	auto_tree *tree = new_tree();
	struct layer lower = {.count = 0}, upper = {.count = 0};
	struct inode *own;
	struct err err;

	(void)file(&lower, "d/a");
	(void)file(&lower, "d/b");
	(void)file(&lower, "e/a");
	own = file(&upper, "d/a");
	(void)add(&upper, ENTRY_WHITEOUT, "d/a");
	(void)add(&upper, ENTRY_WHITEOUT, "nosuch/a");
	(void)file(&upper, "e/b");
	(void)add(&upper, ENTRY_OPAQUE, "e");
	ok(apply(tree, 1, &lower, &err) == 0 && apply(tree, 2, &upper, &err) == 0, "two layers");
	ok(at(tree, "d/a") == own, "a whiteout never hides what its own layer has");
	ok(at(tree, "d/b"), "nor what stands beside it");
	ok(!tree_find(tree, "e/a") && at(tree, "e/b"),
	   "an opaque directory has its own layer's files alone");
}

static void types_take_each_others_place(void)
{
	auto_tree *tree = new_tree();
	struct layer lower = {.count = 0}, upper = {.count = 0};
	struct err err;

	(void)folder(&lower, "d", 0700);
	(void)file(&lower, "d/kept");
	(void)folder(&lower, "e", 0700);
	(void)file(&lower, "e/gone");
	(void)file(&lower, "f");
	symlink_to(&lower, "bin", "usr/bin");
	(void)folder(&upper, "d", 0711);
	(void)file(&upper, "e");
	(void)folder(&upper, "f", 0755);
	(void)file(&upper, "bin/x");
	log_set_level(LOG_QUIET);
	ok(apply(tree, 1, &lower, &err) == 0 && apply(tree, 2, &upper, &err) == 0, "two layers");
	ok(at(tree, "d/kept") && at(tree, "d")->mode == (S_IFDIR | 0711),
	   "a directory over one keeps its children");
	ok(S_ISREG(at(tree, "e")->mode) && !tree_find(tree, "e/gone"),
	   "a file over a directory does not");
	ok(S_ISDIR(at(tree, "f")->mode), "a directory takes a file's place");
	ok(tree_find(tree, "bin") && !at(tree, "bin") && at(tree, "bin/x") &&
		   !tree_find(tree, "usr"),
	   "a symlink on the way is replaced, not followed");
}

static void hard_links_are_one_inode(void)
{
	auto_tree *tree = new_tree();
	struct layer lower = {.count = 0}, upper = {.count = 0};
	struct inode *old, *new;
	struct err err;

	old = file(&lower, "a");
	hardlink(&upper, "before", "a");
	new = file(&upper, "a");
	hardlink(&upper, "after", "a");
	(void)add(&upper, ENTRY_WHITEOUT, "a");
	ok(apply(tree, 1, &lower, &err) == 0 && apply(tree, 2, &upper, &err) == 0, "two layers");
	ok(at(tree, "before") == old,
	   "a link in front of a new file is to the old one, even if it is whited out");
	ok(at(tree, "after") == new && at(tree, "a") == new, "one behind it is to the new one");
}

static void links_through_symlinks_stay_in_the_tree(void)
{
	static const struct {
		const char *target, *what;
	} good[] =
		{
			{"lib/a", "a relative symlink"},
			{"abs/a", "an absolute one"},
			{"up/a", "one that climbs above the root"},
			{"chain/a", "one to another"},
			{"usr/lib/../lib/./a", "dots in a target"},
		},
	  bad[] = {
		  {"loop/a", "a loop"},
		  {"file/a", "a file as a directory"},
		  {"out/passwd", "what only the host has"},
	  };
	auto_tree *tree = new_tree();
	struct layer base = {.count = 0};
	struct inode *inode = file(&base, "usr/lib/a");
	struct err err;

	(void)file(&base, "file");
	symlink_to(&base, "lib", "usr/lib");
	symlink_to(&base, "abs", "/usr//lib/");
	symlink_to(&base, "up", "../../usr/./lib");
	symlink_to(&base, "chain", "abs");
	symlink_to(&base, "loop", "loop");
	symlink_to(&base, "out", "/etc");
	symlink_to(&base, "last", "usr/lib/a");
	hardlink(&base, "last2", "last");
	ok(apply(tree, 1, &base, &err) == 0, "a tree with symlinks");
	ok(at(tree, "last2") == at(tree, "last"), "the last component of a target is not followed");
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct layer layer = {.count = 0};

		hardlink(&layer, "link", good[i].target);
		ok(apply(tree, 2, &layer, &err) == 0 && at(tree, "link") == inode, "%s",
		   good[i].what);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct layer layer = {.count = 0};

		hardlink(&layer, "link", bad[i].target);
		ok(apply(tree, 2, &layer, &err) < 0 && strstr(err.text, bad[i].target), "not %s",
		   bad[i].what);
	}
}

static void resolving_ends(void)
{
	auto_tree *tree = new_tree();
	struct layer layer = {.count = 0};
	char giant[TREE_PATH_MAX + 1];
	struct err err;

	memset(giant, 'x', TREE_PATH_MAX);
	giant[TREE_PATH_MAX] = 0;
	symlink_to(&layer, "s", giant);
	symlink_to(&layer, "t", "s/s/s");
	ok(apply(tree, 1, &layer, &err) == 0, "symlinks as long as they may be");
	ok(!tree_resolve(tree, "s/a") && !tree_resolve(tree, "t/a"), "lead nowhere");
	ok(!tree_resolve(tree, giant) && tree_resolve(tree, "") == tree->root,
	   "as does such a name; none is the root");
	ok(tree_resolve(tree, "../..") == tree->root, "above the root is the root");
}

static void notes_of_aufs_are_for_links_only(void)
{
	auto_tree *tree = new_tree();
	struct layer layer = {.count = 0}, behind = {.count = 0}, upper = {.count = 0};
	struct inode *inode;
	struct err err;

	hardlink(&layer, "a", ".wh..wh.plnk/1.2");
	inode = file(&layer, ".wh..wh.plnk/1.2");
	layer.entry[1].hidden = true;
	(void)file(&layer, "d/.wh..wh.plnk/3.4");
	layer.entry[2].hidden = true;
	ok(apply(tree, 1, &layer, &err) == 0 && at(tree, "a") == inode,
	   "a hard link to a pseudo link is the file");
	ok(!tree_find(tree, ".wh..wh.plnk") && !tree_find(tree, "d/.wh..wh.plnk") &&
		   tree_find(tree, "d"),
	   "and no note is in the tree");
	(void)file(&behind, "c");
	hardlink(&behind, ".wh..wh.plnk/1.2", "a");
	behind.entry[1].hidden = true;
	inode = file(&behind, "a");
	hardlink(&behind, ".wh..wh.plnk/3.4", "a");
	behind.entry[3].hidden = true;
	hardlink(&behind, "d", ".wh..wh.plnk/3.4");
	ok(apply(tree, 2, &behind, &err) == 0 && at(tree, "d") == inode,
	   "a pseudo link to a file that stands before it is what this is by then");
	hardlink(&upper, "b", ".wh..wh.plnk/1.2");
	ok(apply(tree, 3, &upper, &err) < 0, "another layer has no part in it");
}

int main(void)
{
	whiteouts_hide_what_is_below();
	types_take_each_others_place();
	hard_links_are_one_inode();
	links_through_symlinks_stay_in_the_tree();
	resolving_ends();
	notes_of_aufs_are_for_links_only();
	return done_testing();
}
