/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/tree.h"

#include "lib/log.h"

/*
 * The rules (OCI image-spec layer.md, "Applying Changesets"):
 * - A whiteout or an opaque directory hides what lower layers have there, never
 *   what its own layer has, wherever in the archive it stands.
 * - A directory over a directory keeps the children and takes the upper's owner,
 *   mode, times and attributes. Anything else takes the place of what was there.
 * - A hard link is the inode that its target's name means to its own layer at
 *   that point; else what it meant before the layer hid or replaced it. Directories
 *   on the way to the target may be symlinks: they are followed inside the tree,
 *   as link(2) does it in an unpacked image.
 * - What stands below a note of aufs (".wh..wh.plnk") is there for hard links of the
 *   same layer, and gone when the layer is done.
 * - A parent that no layer names gets 0755, 0:0. One that stands below a file or
 *   a symlink of a lower layer takes its place, with a warning: a symlink is
 *   never followed (as overlay file systems do it, unlike unpacking with tar).
 */

int path_of_entry(const char *name, char *out, struct err *err)
{
	size_t used = 0;

	while (*name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.')
			return err_set(err, "a name with '..' in it");
		/* A whiteout's name is that much longer than what it hides. */
		if (len > TREE_NAME_MAX + (strncmp(name, ".wh.", 4) == 0 ? 4U : 0U))
			return err_set(err, "a name of more than %d bytes", TREE_NAME_MAX);
		if (len > 0 && !(len == 1 && name[0] == '.')) {
			if (used + 1 + len > TREE_PATH_MAX)
				return err_set(err, "a path of more than %d bytes", TREE_PATH_MAX);
			if (used > 0)
				out[used++] = '/';
			memcpy(out + used, name, len);
			used += len;
		}
		name += len + (name[len] == '/');
	}
	out[used] = 0;
	return 0;
}

/* What lower layers have below @path, and with @itself at it, is gone. */
static void hide(struct tree *tree, const char *path, bool itself)
{
	struct node *node = tree_find(tree, path);

	if (!node)
		return;
	if (itself) {
		tree_remove(tree, node);
		return;
	}
	while (node->child)
		tree_remove(tree, node->child);
}

static void replace_by_implied(struct node *node, uint32_t layer, const char *path)
{
	log_warning("layer %u: '/%s' needs a directory where '%s' was: it takes its place", layer,
		    path, node->name);
	node->inode = NULL;
	node->layer = layer;
}

/* The node at @path, made with its implied parents where they are missing. */
static struct node *reach(struct tree *tree, const char *path, uint32_t layer, struct err *err)
{
	struct node *node = tree->root;

	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");
		struct node *child;

		if (!node_is_dir(node))
			replace_by_implied(node, layer, path);
		child = tree_child(tree, node, at, len);
		if (!child) {
			child = tree_add(tree, node, at, len, err);
			if (!child)
				return NULL;
			child->layer = layer;
		}
		node = child;
		at += len + (at[len] == '/');
	}
	return node;
}

static int put(struct tree *tree, uint32_t layer, const struct entry *entry, struct err *err)
{
	struct node *node = reach(tree, entry->path, layer, err);

	if (!node)
		return err_aim(err, "'/%s'", entry->path);
	if (!S_ISDIR(entry->inode->mode)) {
		if (node == tree->root)
			return err_set(err, "the root is no directory");
		while (node->child)
			tree_remove(tree, node->child);
	}
	node->inode = entry->inode;
	node->layer = layer;
	return 0;
}

/* What a hard link's target meant to the layers below, before this one hides anything. */
static void look_below(struct tree *tree, struct entry *entry, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct node *node;

		if (entry[i].kind != ENTRY_HARDLINK)
			continue;
		node = tree_resolve(tree, entry[i].target);
		entry[i].inode = node ? node->inode : NULL;
	}
}

static int link_to(struct tree *tree, uint32_t layer, struct entry *entry, struct err *err)
{
	const struct node *node = tree_resolve(tree, entry->target);

	if (node && node->inode)
		entry->inode = node->inode;
	if (!entry->inode) {
		(void)err_set(err, "'/%s' is a hard link to '/%s', which is not there", entry->path,
			      entry->target);
		return -1;
	}
	if (S_ISDIR(entry->inode->mode))
		return err_set(err, "'/%s' is a hard link to the directory '/%s'", entry->path,
			       entry->target);
	return put(tree, layer, entry, err);
}

/* A note that is a file, or a link to one: whoever names it may stand before it. */
static bool comes_first(const struct entry *entry)
{
	return entry->hidden && (entry->kind != ENTRY_HARDLINK || strstr(entry->target, TREE_NOTE));
}

/* The entries that come first, or those that come where they stand. */
static int put_all(struct tree *tree, uint32_t number, struct entry *entry, size_t count,
		   bool first, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		int result = 0;

		if (comes_first(&entry[i]) != first)
			continue;
		if (entry[i].kind == ENTRY_HARDLINK)
			result = link_to(tree, number, &entry[i], err);
		else if (entry[i].inode) /* no whiteout */
			result = put(tree, number, &entry[i], err);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* Take out "a/.wh..wh.plnk" of "a/.wh..wh.plnk/12.34". */
static void forget_notes(struct tree *tree, const struct entry *entry, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *note = entry[i].hidden ? strstr(entry[i].path, TREE_NOTE) : NULL;
		char path[TREE_PATH_MAX + 1];

		if (!note)
			continue;
		(void)snprintf(path, sizeof(path), "%.*s",
			       (int)(note - entry[i].path + strcspn(note, "/")), entry[i].path);
		hide(tree, path, true);
	}
}

int tree_apply(struct tree *tree, uint32_t number, struct entry *entry, size_t count,
	       struct err *err)
{
	int result;

	look_below(tree, entry, count);
	for (size_t i = 0; i < count; i++)
		if (entry[i].kind == ENTRY_WHITEOUT || entry[i].kind == ENTRY_OPAQUE)
			hide(tree, entry[i].path, entry[i].kind == ENTRY_WHITEOUT);
	result = put_all(tree, number, entry, count, true, err);
	if (result == 0)
		result = put_all(tree, number, entry, count, false, err);
	forget_notes(tree, entry, count);
	return result;
}
