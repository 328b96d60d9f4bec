/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/compat.h"

#include "builder/record/treedigest.h"
#include "lib/image/oci.h"

// clang-format off
static const struct {
	const char *path;
	mode_t mode;
} points[] = {
	{"dev", S_IFDIR | 0755}, {"proc", S_IFDIR | 0555}, {"sys", S_IFDIR | 0555},
	{"tmp", S_IFDIR | 01777}, {"run", S_IFDIR | 0755}, {"home", S_IFDIR | 0755},
	{"mnt", S_IFDIR | 0755}, {"etc", S_IFDIR | 0755},
	{"etc/hosts", S_IFREG | 0644}, {"etc/resolv.conf", S_IFREG | 0644},
	{"etc/passwd", S_IFREG | 0644}, {"etc/group", S_IFREG | 0644},
};
// clang-format on

/*
 * The node at @path with a new inode of @mode, 0:0 and time 0. NULL without an error
 * (*absent) when a part of the path is no directory of the image, or it is there already.
 */
static struct node *make(struct tree *tree, const char *path, mode_t mode, bool *absent,
			 struct err *err)
{
	struct node *node = tree->root;

	*absent = false;
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");
		struct node *child = tree_child(tree, node, at, len);

		if (!node_is_dir(node) || (child && !at[len] && child->inode)) {
			*absent = true;
			return NULL;
		}
		if (!child && !(child = tree_add(tree, node, at, len, err)))
			return NULL;
		node = child;
		at += len + (at[len] == '/');
	}
	if (!node->inode && !(node->inode = tree_inode(tree, mode)))
		(void)arena_fail(&tree->arena, "cannot complete the image", err);
	return node->inode ? node : NULL;
}

static int add_file(struct tree *tree, const char *path, const char *text, size_t size,
		    struct inode **out, struct err *err)
{
	bool absent;
	struct node *node = make(tree, path, S_IFREG | 0644, &absent, err);

	if (!node)
		return absent ? 0 : -1;
	node->inode->size = size;
	node->inode->data = (struct data){DATA_MEMORY, {.memory = text}, 0};
	if (out)
		*out = node->inode;
	return 0;
}

/* NAME=VALUE lines; a value of several lines cannot be said there. NULL: the image has no
 * environment. */
static int make_environment(const char *config, size_t config_size, char **out, size_t *size,
			    struct err *err)
{
	auto_oci_config *oci = NULL;
	size_t used = 0, room = 0;
	char *text;

	*out = NULL;
	if (oci_config_parse(config, config_size, &oci, err) < 0)
		return -1;
	for (char **env = oci->env; env && *env; env++)
		room += strlen(*env) + 1;
	if (room == 0)
		return 0;
	text = malloc(room + 1);
	if (!text)
		return err_sys(err, "cannot complete the image");
	for (char **env = oci->env; *env; env++) {
		size_t len = strlen(*env);

		if (strchr(*env, '\n'))
			continue;
		memcpy(text + used, *env, len);
		text[used + len] = '\n';
		used += len + 1;
	}
	text[used] = 0;
	*out = text;
	*size = used;
	return 0;
}

static int add_environment(struct tree *tree, const char *config, size_t config_size,
			   struct err *err)
{
	auto_free char *text = NULL;
	const char *kept;
	size_t size;

	if (make_environment(config, config_size, &text, &size, err) < 0)
		return -1;
	if (!text)
		return 0;
	kept = arena_copy(&tree->arena, text, size + 1);
	if (!kept)
		return arena_fail(&tree->arena, "cannot complete the image", err);
	return add_file(tree, CH_DIR "/environment", kept, size, NULL, err);
}

int compat_add(struct tree *tree, const char *config, size_t config_size, struct inode **provenance,
	       struct err *err)
{
	struct node *own = tree_child(tree, tree->root, FIRN_DIR, strlen(FIRN_DIR));
	bool absent;

	if (own)
		tree_remove(tree, own);
	for (size_t i = 0; i < COUNT_OF(points); i++)
		if (!make(tree, points[i].path, points[i].mode, &absent, err) && !absent)
			return -1;
	if (config && (add_file(tree, CONFIG_FILE, config, config_size, NULL, err) < 0 ||
		       add_environment(tree, config, config_size, err) < 0))
		return -1;
	return add_file(tree, PROVENANCE_FILE, "", 0, provenance, err);
}

/* As make() makes it. */
static bool is_plain(const struct node *node, mode_t mode)
{
	const struct inode *inode = node->inode;

	return inode->mode == mode && inode->uid == 0 && inode->gid == 0 && inode->mtime == 0 &&
	       inode->xattr_count == 0 && (S_ISDIR(mode) || inode->nlink == 1);
}

static size_t count_children(const struct node *node)
{
	size_t count = 0;

	for (const struct node *child = node->child; child; child = child->next)
		count++;
	return count;
}

/* Is /ch what compat_add() makes of an environment of these bytes, which may be NULL? */
static int is_own_ch(const struct node *ch, const struct node *file, const char *text, size_t size,
		     bool *out, struct err *err)
{
	auto_hasher *sum = hasher_new();
	uint8_t wanted[DIGEST_SIZE];

	*out = !ch && !text;
	if (!ch || !text || !file || !is_plain(ch, S_IFDIR | 0755) || count_children(ch) != 1 ||
	    !is_plain(file, S_IFREG | 0644) || file->inode->size != size || !file->inode->sum)
		return 0;
	if (!sum)
		return err_sys(err, "cannot sum up /" CH_DIR);
	hasher_add(sum, text, size);
	hasher_end_bytes(sum, wanted);
	*out = memcmp(wanted, file->inode->sum, DIGEST_SIZE) == 0;
	return 0;
}

int compat_ch_digest(const struct tree *tree, const char *config, size_t config_size,
		     struct digest *out, struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	bool own;

	*out = (struct digest){0};
	if ((config && make_environment(config, config_size, &text, &size, err) < 0) ||
	    is_own_ch(tree_find(tree, CH_DIR), tree_find(tree, CH_DIR "/environment"), text, size,
		      &own, err) < 0)
		return -1;
	return own ? 0 : tree_digest_of(tree, CH_DIR, out, err);
}

const struct node *compat_find_alien(const struct tree *tree, bool has_config)
{
	const struct node *dir = tree_find(tree, FIRN_DIR);
	const struct node *config = tree_find(tree, CONFIG_FILE);
	const struct node *provenance = tree_find(tree, PROVENANCE_FILE);

	if (dir && !is_plain(dir, S_IFDIR | 0755))
		return dir;
	for (const struct node *child = dir ? dir->child : NULL; child; child = child->next)
		if ((child != provenance && (child != config || !has_config)) ||
		    !is_plain(child, S_IFREG | 0644))
			return child;
	return NULL;
}
