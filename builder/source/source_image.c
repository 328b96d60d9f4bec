/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * An existing squashfs or SIF file: the same files, packed anew. Its own
 * configuration (/.firn/config.json) stays its configuration.
 */
#include "builder/cage.h"
#include "builder/source/source.h"
#include "lib/image/oci.h"
#include "lib/squashfs/squashfs.h"

#include <inttypes.h>

#define CONFIG_PATH "/.firn/config.json"

enum { DEPTH_MAX = 2048 };

/* An inode number of the image. Other readers, the kernel's among them, go by it. */
struct number {
	uint64_t ref; /* of the inode that has it */
	struct node *node;
	uint32_t stored, links; /* names that the inode says it has, and that were found */
};

struct repack {
	struct source source;
	struct image *image;
	struct squashfs *squashfs;
	struct squashfs_reader *reader;
	const struct limits *limits;
	bool exact;
	/* While it is gone through */
	struct tree *tree;
	struct number *number; /* from 1 on */
	uint32_t inode_count;
	uint64_t size;
};

/* A directory that is gone through: squashfs_each() hands it to take_entry(). */
struct level {
	struct repack *repack;
	struct node *dir;
	struct squashfs_inode inode; /* of it */
	size_t len; /* of its path, without a slash in front */
	int depth;
	struct err *err;
};

static void repack_close(struct source *source)
{
	struct repack *repack = (struct repack *)source;

	source_clear(source);
	squashfs_reader_free(repack->reader);
	squashfs_close(repack->squashfs);
	image_free(repack->image);
	free(repack->number);
	free(repack);
}

static int take_xattrs(struct repack *repack, const struct squashfs_inode *from,
		       struct inode *inode, struct err *err)
{
	struct arena *arena = &repack->tree->arena;
	char list[64 << 10], value[UINT16_MAX];
	ssize_t size = from->xattr == UINT32_MAX ? 0 :
				 squashfs_listxattr(repack->reader, from, list, sizeof(list), err);
	struct xattr *xattr;
	uint32_t count = 0;

	if (size < 0)
		return -1;
	for (const char *name = list; name < list + size; name += strlen(name) + 1)
		count++;
	xattr = arena_take(arena, count * sizeof(*xattr) + 1);
	if (!xattr)
		return arena_fail(arena, "cannot read an image", err);
	for (const char *name = list; name < list + size; name += strlen(name) + 1) {
		uint32_t at = inode->xattr_count;
		ssize_t n;

		if (!repack->exact && (strncmp(name, "user.", 5) != 0 || !name[5]))
			continue;
		n = squashfs_getxattr(repack->reader, from, name, value, sizeof(value), err);
		if (n < 0)
			return -1;
		for (; at > 0 && strcmp(xattr[at - 1].name, name) > 0; at--)
			xattr[at] = xattr[at - 1];
		xattr[at] = (struct xattr){arena_string(arena, name),
					   arena_copy(arena, value, (size_t)n), (size_t)n};
		if (!xattr[at].name || !xattr[at].value)
			return arena_fail(arena, "cannot read an image", err);
		inode->xattr_count++;
	}
	inode->xattr = xattr;
	return 0;
}

static int take_target(struct repack *repack, const struct squashfs_inode *from,
		       struct inode *inode, struct err *err)
{
	char target[TREE_PATH_MAX + 1];
	ssize_t len = squashfs_readlink(repack->reader, from, target, sizeof(target), err);

	if (len < 0)
		return -1;
	inode->size = (uint64_t)len;
	inode->target = arena_string(&repack->tree->arena, target);
	return inode->target ? 0 : arena_fail(&repack->tree->arena, "cannot read an image", err);
}

static int take_inode(struct repack *repack, const struct squashfs_inode *from, struct inode **out,
		      struct err *err)
{
	struct inode *inode = *out = tree_inode(repack->tree, from->mode);

	if (!inode)
		return arena_fail(&repack->tree->arena, "cannot read an image", err);
	inode->mtime = from->mtime;
	if (squashfs_owner(repack->reader, from, &inode->uid, &inode->gid, err) < 0 ||
	    take_xattrs(repack, from, inode, err) < 0)
		return -1;
	if (S_ISLNK(from->mode))
		return take_target(repack, from, inode, err);
	if (!S_ISREG(from->mode))
		return 0;
	repack->size += from->size;
	if (from->size > repack->limits->max_size || repack->size > repack->limits->max_size)
		return err_set(err,
			       "more than %" PRIu64
			       " bytes of files (firn.conf's [build] max-size)",
			       repack->limits->max_size);
	inode->size = from->size;
	inode->data = (struct data){DATA_SQUASHFS, {.squashfs = repack->reader}, from->ref};
	return 0;
}

/*
 * Note that @node is @from. Returns 1 if it is a further name of what was taken before, else 0.
 * One number for two inodes is no hard link: the kernel would show one of them for both.
 */
static int take_number(struct repack *repack, const struct squashfs_inode *from, struct node *node,
		       struct err *err)
{
	struct number *number;
	char path[300];

	if (from->ino > repack->inode_count)
		return err_set(err, "its inode number is %" PRIu32 ", of %" PRIu32, from->ino,
			       repack->inode_count);
	number = &repack->number[from->ino];
	if (!number->node) {
		*number =
			(struct number){from->ref, node, from->nlink, S_ISDIR(from->mode) ? 2 : 1};
		return 0;
	}
	if (number->ref != from->ref || S_ISDIR(from->mode))
		return err_set(err,
			       "it has inode number %" PRIu32 " as '%s' has, and is no hard link",
			       from->ino, node_path(number->node, path, sizeof(path)));
	number->links++;
	node->inode = number->node->inode;
	return 1;
}

/* The entry of a directory and the inode it leads to say some things twice. */
static int check_entry(const struct level *level, const struct squashfs_entry *entry,
		       const struct squashfs_inode *from)
{
	const struct repack *repack = level->repack;
	uint64_t ref;
	int found;

	if (entry->ino != from->ino)
		return err_set(level->err,
			       "its inode number is %" PRIu32 ", and %" PRIu32 " in its directory",
			       from->ino, entry->ino);
	if (entry->type != (from->mode & S_IFMT))
		return err_set(level->err, "it is of another type in its directory");
	if (!repack->exact)
		return 0;
	if (S_ISDIR(from->mode) && from->parent != level->inode.ino)
		return err_set(level->err, "it says that it is in another directory");
	found = squashfs_lookup(repack->reader, &level->inode, entry->name, entry->len, &ref,
				level->err);
	if (found < 0)
		return -1;
	return found && ref == entry->ref ? 0
					  : err_set(level->err, "looking it up does not find it");
}

static int take_node(struct level *level, const struct squashfs_entry *entry, struct node *node,
		     struct squashfs_inode *from)
{
	struct repack *repack = level->repack;
	int known;

	if (squashfs_inode(repack->reader, entry->ref, from, level->err) < 0 ||
	    check_entry(level, entry, from) < 0)
		return -1;
	if (S_ISDIR(from->mode))
		repack->number[level->inode.ino].links++;
	known = take_number(repack, from, node, level->err);
	return known ? (known < 0 ? -1 : 0) : take_inode(repack, from, &node->inode, level->err);
}

static int take_entry(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	struct level *level = arg, below = *level;
	struct repack *repack = level->repack;
	char path[300];

	(void)position;
	if (builder_test_hook)
		builder_test_hook(entry->name);
	if (level->depth == DEPTH_MAX)
		return err_set(level->err, "'%s' is too deep", entry->name);
	if (tree_child(repack->tree, level->dir, entry->name, entry->len))
		return err_set(level->err, "a directory has '%s' twice", entry->name);
	below.depth++;
	below.len += (below.len > 0) + entry->len;
	if (below.len > TREE_PATH_MAX)
		return err_set(level->err, "'.../%s': a path of more than %d bytes", entry->name,
			       TREE_PATH_MAX);
	below.dir = tree_add(repack->tree, level->dir, entry->name, entry->len, level->err);
	if (!below.dir)
		return -1;
	if (take_node(level, entry, below.dir, &below.inode) < 0)
		return err_aim(level->err, "'%s'", node_path(below.dir, path, sizeof(path)));
	if (!S_ISDIR(below.inode.mode))
		return 0;
	return squashfs_each(repack->reader, &below.inode, 0, take_entry, &below, level->err);
}

static int take_root(struct repack *repack, const struct squashfs_inode *from, struct node *node,
		     struct err *err)
{
	if (!S_ISDIR(from->mode))
		return err_set(err, "its root is no directory");
	return take_number(repack, from, node, err) < 0 ||
			       take_inode(repack, from, &node->inode, err) < 0
		       ? err_aim(err, "'/'")
		       : 0;
}

/* What is counted in the image, against what was found in it. */
static int check_counts(const struct repack *repack, struct err *err)
{
	char path[300];
	uint64_t ref;
	int found;

	for (uint32_t i = 1; i <= repack->inode_count; i++) {
		const struct number *number = &repack->number[i];

		if (!number->node)
			return err_set(err,
				       "it counts %" PRIu32 " files, and none has number %" PRIu32,
				       repack->inode_count, i);
		found = squashfs_export(repack->reader, i, &ref, err);
		if (found < 0)
			return -1;
		if (found && ref != number->ref)
			return err_set(err,
				       "'%s': the export table has another file for its number",
				       node_path(number->node, path, sizeof(path)));
		if (number->links != number->stored)
			return err_set(err,
				       "'%s': it says that it has %" PRIu32
				       " names, and has %" PRIu32,
				       node_path(number->node, path, sizeof(path)), number->stored,
				       number->links);
	}
	return 0;
}

static int repack_fill(struct source *source, struct tree *tree, struct err *err)
{
	struct repack *repack = (struct repack *)source;
	const struct squashfs_info *info = squashfs_info(repack->squashfs);
	struct level level = {.repack = repack, .dir = tree->root, .err = err};
	struct squashfs_inode *root = &level.inode;

	repack->tree = tree;
	repack->inode_count = info->inode_count;
	if (info->inode_count > repack->limits->max_entries)
		return err_set(err, "more than %zu files (firn.conf's [build] max-entries)",
			       repack->limits->max_entries);
	repack->number = calloc((size_t)info->inode_count + 1, sizeof(*repack->number));
	if (!repack->number)
		return err_sys(err, "cannot read an image");
	if (repack->exact && squashfs_check(repack->reader, err) < 0)
		return -1; /* which has the name */
	if (squashfs_inode(repack->reader, info->root, root, err) < 0 ||
	    take_root(repack, root, tree->root, err) < 0 ||
	    squashfs_each(repack->reader, root, 0, take_entry, &level, err) < 0 ||
	    (repack->exact && check_counts(repack, err) < 0))
		return err_aim(err, "'%s'", repack->image->path);
	return 0;
}

/* 0 also when there is none. */
static int read_config(struct repack *repack, struct err *err)
{
	struct source *source = &repack->source;
	auto_oci_config *config = NULL;
	struct squashfs_inode inode;
	int found = squashfs_resolve(repack->reader, CONFIG_PATH, &inode, err);

	if (found <= 0 || !S_ISREG(inode.mode))
		return found < 0 ? err_aim(err, "'" CONFIG_PATH "'") : 0;
	if (inode.size > DOCUMENT_MAX)
		return err_set(err, CONFIG_PATH " is too long");
	source->config = malloc((size_t)inode.size + 1);
	if (!source->config)
		return err_sys(err, "cannot read " CONFIG_PATH);
	source->config_size = (size_t)inode.size;
	source->config[inode.size] = 0;
	for (size_t at = 0; at < inode.size;) {
		ssize_t n = squashfs_pread(repack->reader, &inode, source->config + at,
					   inode.size - at, at, err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, CONFIG_PATH " is shorter than it says");
		at += (size_t)n;
	}
	if (oci_config_parse(source->config, source->config_size, &config, err) < 0)
		return -1;
	return digest_of(source->config, source->config_size, &source->config_digest, err);
}

static int read_image(struct repack *repack, const char *name, struct err *err)
{
	if (repack->image->kind == IMAGE_DIRECTORY)
		return err_set(err, "'%s' is a directory; use dir:%s", name, name);
	if (squashfs_open(repack->image->fd, repack->image->offset, repack->image->size, name, NULL,
			  &repack->squashfs, err) < 0 ||
	    squashfs_reader_new(repack->squashfs, &repack->reader, err) < 0)
		return -1;
	return read_config(repack, err);
}

int source_from_image(struct image *image, const char *name, const struct source_options *options,
		      struct source **out, struct err *err)
{
	struct repack *repack = calloc(1, sizeof(*repack));

	if (!repack) {
		image_free(image);
		return err_code(err, ENOMEM, "cannot open '%s'", name);
	}
	repack->image = image;
	repack->source.fill = repack_fill;
	repack->source.close = repack_close;
	repack->limits = &options->limits;
	repack->exact = options->exact;
	if (read_image(repack, name, err) < 0) {
		repack_close(&repack->source);
		return -1;
	}
	*out = &repack->source;
	return 0;
}
