/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/record/treedigest.h"

#include <inttypes.h>

#define MAGIC "firn-tree-1\n"

enum { TEXT_MAX = 160 };

/* Of each inode with several names the first one, in path order. */
struct digest_list {
	struct hasher *sum;
	const char *only; /* of this one of the root's names; NULL: of all but the runners' */
	const struct node **first; /* by inode number */
};

static void add_text(struct digest_list *listing, const char *text)
{
	hasher_add(listing->sum, text, strlen(text) + 1);
}

static char type_of(mode_t mode)
{
	return S_ISDIR(mode)	? 'd'
	       : S_ISREG(mode)	? 'f'
	       : S_ISLNK(mode)	? 'l'
	       : S_ISFIFO(mode) ? 'p'
				: 's';
}

static bool is_named(const struct node *node, const char *name)
{
	return node->len == strlen(name) && memcmp(node->name, name, node->len) == 0;
}

/* /.firn and /ch tell runners of the image's configuration; they are not its files. */
static bool is_listed(const struct digest_list *listing, const struct node *node)
{
	while (node->parent != node->parent->parent)
		node = node->parent;
	if (listing->only)
		return is_named(node, listing->only);
	return !is_named(node, FIRN_DIR) && !is_named(node, CH_DIR);
}

static int list(void *arg, struct node *node, struct err *err)
{
	struct digest_list *listing = arg;
	const struct inode *inode = node->inode;
	char path[TREE_PATH_MAX + 2], text[TEXT_MAX];

	if (!is_listed(listing, node))
		return 0;
	add_text(listing, node_path(node, path, sizeof(path)));
	if (!S_ISDIR(inode->mode) && inode->nlink > 1) {
		const struct node **first = &listing->first[inode->number];

		if (*first) {
			add_text(listing, "=");
			add_text(listing, node_path(*first, path, sizeof(path)));
			return 0;
		}
		*first = node;
	}
	(void)snprintf(text, sizeof(text),
		       "%c %04o %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu32,
		       type_of(inode->mode), (unsigned)inode->mode & 07777, inode->uid, inode->gid,
		       inode->mtime, S_ISREG(inode->mode) ? inode->size : 0, inode->xattr_count);
	add_text(listing, text);
	for (uint32_t i = 0; i < inode->xattr_count; i++) {
		add_text(listing, inode->xattr[i].name);
		(void)snprintf(text, sizeof(text), "%zu", inode->xattr[i].size);
		add_text(listing, text);
		hasher_add(listing->sum, inode->xattr[i].value, inode->xattr[i].size);
	}
	if (S_ISLNK(inode->mode))
		add_text(listing, inode->target);
	if (S_ISREG(inode->mode) && !inode->sum)
		return err_set(err, "'%s' was not summed up", node_path(node, path, sizeof(path)));
	if (S_ISREG(inode->mode))
		hasher_add(listing->sum, inode->sum, DIGEST_SIZE);
	return 0;
}

static int sum_up(const struct tree *tree, const char *only, struct digest *out, struct err *err)
{
	auto_hasher *sum = hasher_new();
	struct digest_list listing = {.sum = sum, .only = only};
	int result = -1;

	listing.first = calloc((size_t)tree_inode_count(tree) + 1, sizeof(*listing.first));
	if (!sum || !listing.first) {
		(void)err_sys(err, "cannot sum up the tree");
	} else {
		hasher_add(sum, MAGIC, strlen(MAGIC));
		result = tree_walk(tree, list, &listing, err);
		if (result == 0)
			hasher_end(sum, out);
	}
	free(listing.first);
	return result;
}

int tree_digest(const struct tree *tree, struct digest *out, struct err *err)
{
	return sum_up(tree, NULL, out, err);
}

int tree_digest_of(const struct tree *tree, const char *name, struct digest *out, struct err *err)
{
	return sum_up(tree, name, out, err);
}
