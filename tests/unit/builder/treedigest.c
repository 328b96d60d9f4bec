/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The tree's digest: exactly the listing that doc/format.md defines, and nothing else. */
#include "builder/record/treedigest.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

enum { NAMES_MAX = 20 };

static const uint8_t sum_a[DIGEST_SIZE] = {1, 2, 3}, sum_b[DIGEST_SIZE] = {4, 5, 6};

/* A small tree, anew each time, so that a test may change one thing in it. */
struct files {
	struct entry entry[NAMES_MAX];
	struct inode inode[NAMES_MAX];
	size_t count;
};

static struct inode *add(struct files *files, const char *path, mode_t mode)
{
	struct inode *inode = &files->inode[files->count];

	*inode = (struct inode){.mode = mode, .uid = 10, .gid = 20, .mtime = 30};
	files->entry[files->count++] =
		(struct entry){.kind = ENTRY_INODE, .path = path, .inode = inode};
	return inode;
}

static struct inode *add_file(struct files *files, const char *path, uint64_t size,
			      const uint8_t *sum)
{
	struct inode *inode = add(files, path, S_IFREG | 0644);

	inode->size = size;
	inode->sum = sum;
	return inode;
}

static void add_link(struct files *files, const char *path, const char *target)
{
	files->entry[files->count++] =
		(struct entry){.kind = ENTRY_HARDLINK, .path = path, .target = target};
}

static void fill(struct files *files)
{
	static const struct xattr xattrs[] = {{"user.a", "\0b", 2}, {"user.c", "", 0}};
	struct inode *inode;

	files->count = 0;
	(void)add(files, "", S_IFDIR | 0755);
	(void)add(files, "d", S_IFDIR | 01777);
	(void)add_file(files, "d/b", 5, sum_a);
	add_link(files, "a", "d/b");
	inode = add_file(files, "d/x", 0, sum_b);
	inode->xattr = xattrs;
	inode->xattr_count = 2;
	inode = add(files, "s", S_IFLNK | 0777);
	inode->target = "d/b";
	(void)add(files, "p", S_IFIFO | 0600);
}

static const char *digest_of_files(struct files *files, struct err *err)
{
	static char text[4][DIGEST_TEXT_SIZE];
	static int next;
	char *out = text[next++ % 4];
	auto_tree *tree = NULL;
	struct digest digest;

	if (tree_new(0, NULL, &tree, err) < 0 ||
	    tree_apply(tree, 1, files->entry, files->count, err) < 0 ||
	    tree_finish(tree, err) < 0 || tree_digest(tree, &digest, err) < 0)
		return NULL;
	(void)snprintf(out, DIGEST_TEXT_SIZE, "%s", digest.text);
	return out;
}

#define ADD(text) hasher_add(sum, text, sizeof(text)) /* with its NUL */

static void the_listing_is_the_documented_one(void)
{
	auto_hasher *sum = hasher_new();
	struct files files;
	struct digest wanted;
	struct err err;

	fill(&files);
	hasher_add(sum, "firn-tree-1\n", 12);
	ADD("/\0d 0755 10 20 30 0 0");
	ADD("/a\0f 0644 10 20 30 5 0");
	hasher_add(sum, sum_a, sizeof(sum_a));
	ADD("/d\0d 1777 10 20 30 0 0");
	ADD("/d/b\0=\0/a");
	ADD("/d/x\0f 0644 10 20 30 0 2");
	hasher_add(sum, "user.a\0" "2\0" "\0b" "user.c\0" "0\0", 20);
	hasher_add(sum, sum_b, sizeof(sum_b));
	ADD("/p\0p 0600 10 20 30 0 0");
	ADD("/s\0l 0777 10 20 30 0 0\0d/b");
	hasher_end(sum, &wanted);
	is_str(digest_of_files(&files, &err), wanted.text, "a tree of all kinds");
}

static void every_attribute_counts(void)
{
	static const char *const names[] = {"mode",
					    "owner",
					    "group",
					    "time",
					    "content",
					    "target",
					    "an attribute's value",
					    "a name",
					    "a link less"};
	static const struct xattr other[] = {{"user.a", "\0c", 2}, {"user.c", "", 0}};
	const char *before;
	struct files files;
	struct err err;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		fill(&files);
		before = digest_of_files(&files, &err);
		fill(&files);
		switch (i) {
		case 0: files.inode[2].mode = S_IFREG | 0645; break;
		case 1: files.inode[2].uid++; break;
		case 2: files.inode[1].gid++; break;
		case 3: files.inode[0].mtime++; break;
		case 4: files.inode[2].sum = sum_b; break;
		case 5: files.inode[5].target = "d/c"; break;
		case 6: files.inode[4].xattr = other; break;
		case 7: files.entry[6].path = "q"; break;
		default:
			(void)add_file(&files, "a", 5, sum_a);
			files.inode[files.count - 1].mode = S_IFREG | 0644;
			break;
		}
		ok(strcmp(digest_of_files(&files, &err), before) != 0, "%s", names[i]);
	}
}

static void what_is_for_runners_does_not(void)
{
	struct files files;
	const char *before;
	struct err err;

	fill(&files);
	before = digest_of_files(&files, &err);
	fill(&files);
	(void)add_file(&files, ".firn/config.json", 7, sum_b);
	(void)add_file(&files, "ch/environment", 7, sum_b);
	ok(strcmp(digest_of_files(&files, &err), before) == 0, "/.firn and /ch are not in it");
	fill(&files);
	(void)add_file(&files, "d/.firn", 7, sum_b);
	ok(strcmp(digest_of_files(&files, &err), before) != 0, "other places of that name are");
}

static void order_and_packing_do_not(void)
{
	struct files files, turned = {.count = 0};
	const char *before;
	struct err err;

	fill(&files);
	before = digest_of_files(&files, &err);
	fill(&files);
	for (size_t i = files.count; i-- > 0;)
		if (files.entry[i].kind == ENTRY_INODE)
			turned.entry[turned.count++] = files.entry[i];
	add_link(&turned, "a", "d/b");
	ok(strcmp(digest_of_files(&turned, &err), before) == 0,
	   "the order of entries does not count");
}

static void a_file_without_a_sum_is_an_error(void)
{
	struct files files;
	struct err err;

	fill(&files);
	files.inode[4].sum = NULL;
	ok(!digest_of_files(&files, &err) && strstr(err.text, "'/d/x'"),
	   "a file that was not read is named");
}

int main(void)
{
	the_listing_is_the_documented_one();
	every_attribute_counts();
	what_is_for_runners_does_not();
	order_and_packing_do_not();
	a_file_without_a_sum_is_an_error();
	return done_testing();
}
