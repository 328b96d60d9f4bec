/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/tree.h"

enum { TABLE_START = 1 << 12, LINKS_MAX = 40 /* as the kernel follows */ };

int tree_new(size_t max, struct budget *memory, struct tree **out, struct err *err)
{
	auto_tree *tree = calloc(1, sizeof(*tree));

	if (!tree || !(tree->table = calloc(TABLE_START, sizeof(struct node *))) ||
	    !(tree->root = arena_take(&tree->arena, sizeof(struct node) + 1)))
		return err_sys(err, "cannot make a tree");
	tree->table_size = TABLE_START;
	tree->root->parent = tree->root;
	tree->max = max;
	tree->arena.budget = memory;
	*out = take_ptr(&tree);
	return 0;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	arena_free(&tree->arena);
	free(tree->table);
	free(tree);
}

void tree_freep(struct tree **tree)
{
	tree_free(*tree);
}

struct inode *tree_inode(struct tree *tree, mode_t mode)
{
	struct inode *inode = arena_take(&tree->arena, sizeof(*inode));

	if (inode)
		inode->mode = mode;
	return inode;
}

/* FNV-1a over the name, with the parent's address mixed in; names are a stranger's, but limited in
 * number. */
static size_t hash_of(const struct tree *tree, const struct node *dir, const char *name, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325 ^ ((uintptr_t)dir >> 3);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
	hash ^= hash >> 29;
	return (size_t)(hash * 0x9e3779b97f4a7c15 >> 20) & (tree->table_size - 1);
}

struct node *tree_child(const struct tree *tree, const struct node *dir, const char *name,
			size_t len)
{
	struct node *node = tree->table[hash_of(tree, dir, name, len)];

	while (node &&
	       (node->parent != dir || node->len != len || memcmp(node->name, name, len) != 0))
		node = node->bucket;
	return node;
}

struct node *tree_find(const struct tree *tree, const char *path)
{
	struct node *node = tree->root;

	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = tree_child(tree, node, path, len);
		path += len + (path[len] == '/');
	}
	return node;
}

/* A symlink's target and what of the path is behind it, instead of the path. */
static int follow(const struct node *link, const char *rest, char path[2 * TREE_PATH_MAX + 2])
{
	size_t len = strlen(link->inode->target), rest_len = strlen(rest);

	if (len + 1 + rest_len > 2 * TREE_PATH_MAX)
		return -1;
	memmove(path + len + 1, rest, rest_len + 1);
	memcpy(path, link->inode->target, len);
	path[len] = '/';
	return 0;
}

struct node *tree_resolve(const struct tree *tree, const char *name)
{
	char path[2 * TREE_PATH_MAX + 2], *at = path;
	struct node *node = tree->root;
	int links = 0;

	if (strlen(name) > TREE_PATH_MAX)
		return NULL;
	memcpy(path, name, strlen(name) + 1);
	while (node && *(at += strspn(at, "/"))) {
		size_t len = strcspn(at, "/");
		struct node *child = len == 1 && at[0] == '.' ? node :
				     len == 2 && at[0] == '.' && at[1] == '.' ? node->parent :
				     tree_child(tree, node, at, len);

		at += len;
		if (child && *at && child->inode && S_ISLNK(child->inode->mode)) {
			if (++links > LINKS_MAX || follow(child, at, path) < 0)
				return NULL;
			if (path[0] == '/')
				node = tree->root;
			at = path;
		} else {
			node = child;
		}
	}
	return node;
}

static int grow(struct tree *tree)
{
	size_t size = 4 * tree->table_size, old_size = tree->table_size;
	struct node **old = tree->table, **grown = calloc(size, sizeof(*grown));

	if (!grown)
		return -1;
	tree->table = grown;
	tree->table_size = size;
	for (size_t i = 0; i < old_size; i++)
		for (struct node *node = old[i], *next; node; node = next) {
			size_t at = hash_of(tree, node->parent, node->name, node->len);

			next = node->bucket;
			node->bucket = grown[at];
			grown[at] = node;
		}
	free(old);
	return 0;
}

struct node *tree_add(struct tree *tree, struct node *dir, const char *name, size_t len,
		      struct err *err)
{
	struct node *node;
	size_t at;

	if (tree->max && tree->count >= tree->max) {
		(void)err_set(err, "more than %zu files (firn.conf's [build] max-entries)",
			      tree->max);
		return NULL;
	}
	if ((tree->count >= 2 * tree->table_size && grow(tree) < 0) ||
	    !(node = arena_take(&tree->arena, sizeof(*node) + len + 1))) {
		(void)arena_fail(&tree->arena, "cannot grow the tree", err);
		return NULL;
	}
	memcpy(node->name, name, len);
	node->len = (uint32_t)len;
	node->parent = dir;
	node->next = dir->child;
	if (node->next)
		node->next->prev = node;
	dir->child = node;
	at = hash_of(tree, dir, name, len);
	node->bucket = tree->table[at];
	tree->table[at] = node;
	tree->count++;
	return node;
}

static void forget(struct tree *tree, struct node *node)
{
	struct node **at = &tree->table[hash_of(tree, node->parent, node->name, node->len)];

	while (*at != node)
		at = &(*at)->bucket;
	*at = node->bucket;
	tree->count--;
}

static void remove_children(struct tree *tree, struct node *node)
{
	/* Leaf by leaf instead of by recursion: depth is a stranger's. */
	for (struct node *leaf = node; node->child;) {
		while (leaf->child)
			leaf = leaf->child;
		forget(tree, leaf);
		leaf->parent->child = leaf->next;
		if (leaf->next)
			leaf->next->prev = NULL;
		leaf = leaf->parent;
	}
}

void tree_remove(struct tree *tree, struct node *node)
{
	remove_children(tree, node);
	if (node == tree->root)
		return;
	*(node->prev ? &node->prev->next : &node->parent->child) = node->next;
	if (node->next)
		node->next->prev = node->prev;
	forget(tree, node);
}

bool node_is_dir(const struct node *node)
{
	return !node->inode || S_ISDIR(node->inode->mode);
}

const char *node_path(const struct node *node, char *buffer, size_t size)
{
	size_t at = size - 1;

	buffer[at] = 0;
	for (; node->parent != node && node->len + 1 <= at; node = node->parent) {
		at -= node->len;
		memcpy(buffer + at, node->name, node->len);
		buffer[--at] = '/';
	}
	if (!buffer[at] && at > 0)
		buffer[--at] = '/';
	return buffer + at;
}

static int by_name(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static int sort_children(struct node *dir, struct node ***room, size_t *room_count)
{
	size_t count = 0;

	for (struct node *child = dir->child; child; child = child->next) {
		if (count == *room_count) {
			size_t more = *room_count ? 2 * *room_count : 256;
			struct node **grown = reallocarray(*room, more, sizeof(*grown));

			if (!grown)
				return -1;
			*room = grown;
			*room_count = more;
		}
		(*room)[count++] = child;
	}
	if (count == 0)
		return 0;
	qsort(*room, count, sizeof(**room), by_name);
	for (size_t i = 0; i < count; i++) {
		(*room)[i]->prev = i > 0 ? (*room)[i - 1] : NULL;
		(*room)[i]->next = i + 1 < count ? (*room)[i + 1] : NULL;
	}
	dir->child = (*room)[0];
	return 0;
}

/* Number the inodes of @dir's children and of those below, children's children first. */
static void number_children(struct node *dir, uint32_t *last)
{
	for (struct node *child = dir->child; child; child = child->next)
		if (child->child)
			number_children(child, last);
	for (struct node *child = dir->child; child; child = child->next)
		if (child->inode->number == 0)
			child->inode->number = ++*last;
}

/* Links: names of a file; of a directory its own, "." and one ".." for each directory in it. */
static int prepare(void *arg, struct node *node, struct err *err)
{
	struct tree *tree = arg;

	if (!node->inode && !(node->inode = tree_inode(tree, S_IFDIR | 0755)))
		return arena_fail(&tree->arena, "cannot finish the tree", err);
	node->inode->nlink = S_ISDIR(node->inode->mode) ? 2 : node->inode->nlink + 1;
	node->inode->number = 0;
	if (S_ISDIR(node->inode->mode) && node != tree->root)
		node->parent->inode->nlink++;
	return 0;
}

int tree_finish(struct tree *tree, struct err *err)
{
	struct node **room = NULL;
	size_t room_count = 0;
	uint32_t last = 0;
	struct node *node = tree->root;
	int result = 0;

	for (bool down = true; result == 0;) { /* pre-order, without recursion */
		if (down)
			result = sort_children(node, &room, &room_count);
		if (result < 0)
			break;
		if (down && node->child)
			node = node->child;
		else if (node == tree->root)
			break;
		else if (node->next) {
			node = node->next;
			down = true;
		} else {
			node = node->parent;
			down = false;
			/* the parent itself is done: go on beside it */
		}
	}
	free(room);
	if (result < 0)
		return err_sys(err, "cannot sort the tree");
	if (tree_walk(tree, prepare, tree, err) < 0)
		return -1;
	number_children(tree->root, &last);
	tree->root->inode->number = ++last;
	return 0;
}

uint32_t tree_inode_count(const struct tree *tree)
{
	return tree->root->inode->number;
}

int tree_walk(const struct tree *tree, tree_visit *visit, void *arg, struct err *err)
{
	struct node *node = tree->root;

	for (;;) {
		int result = visit(arg, node, err);

		if (result != 0)
			return result;
		if (node->child) {
			node = node->child;
			continue;
		}
		while (node != tree->root && !node->next)
			node = node->parent;
		if (node == tree->root)
			return 0;
		node = node->next;
	}
}
