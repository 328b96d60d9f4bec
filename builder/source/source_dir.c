/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * dir:PATH: the files below a directory, as they are. Mounts below it are part
 * of it, except for the kernel's own views (proc, sysfs and the like), of which
 * only the empty mount point counts. An image's documents and blobs are no root
 * file system, and not taken for one (across/folder.c).
 */
#include "builder/source/source_private.h"
#include "builder/squash/data.h"
#include "lib/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

enum { DEPTH_MAX = 2048, LIST_MAX = 64 << 10 };

struct directory {
	struct source source;
	char *name;
	int root;
	/* While it is gone through */
	struct tree *tree;
	const struct limits *limits;
	struct source_own own[SOURCE_OWN_FILES];
	uint64_t size;
	char path[TREE_PATH_MAX + 2];
	struct link { dev_t dev; ino_t ino; struct inode *inode; } *link; /* hash table */
	size_t link_count, link_room;
};

static void directory_close(struct source *source)
{
	struct directory *directory = (struct directory *)source;

	source_clear(source);
	own_close(&directory->root);
	free(directory->link);
	free(directory->name);
	free(directory);
}

static struct link *link_slot(struct directory *directory, dev_t dev, ino_t ino)
{
	size_t at = (size_t)((dev * 31 + ino) * 0x9e3779b97f4a7c15ULL >> 16);

	for (;; at++) {
		struct link *slot = &directory->link[at & (directory->link_room - 1)];

		if (!slot->inode || (slot->dev == dev && slot->ino == ino))
			return slot;
	}
}

/* Names of one file share an inode: the one that came first, or @inode now. */
static int remember(struct directory *directory, const struct stat *stat, struct inode **inode)
{
	struct link *slot;

	if (2 * directory->link_count >= directory->link_room) {
		struct link *old = directory->link;
		size_t old_room = directory->link_room;

		directory->link_room = old_room ? 2 * old_room : 1024;
		directory->link = calloc(directory->link_room, sizeof(*old));
		if (!directory->link) {
			free(old);
			return -1;
		}
		for (size_t i = 0; i < old_room; i++)
			if (old[i].inode)
				*link_slot(directory, old[i].dev, old[i].ino) = old[i];
		free(old);
	}
	slot = link_slot(directory, stat->st_dev, stat->st_ino);
	if (slot->inode) {
		*inode = slot->inode;
		return 1;
	}
	*slot = (struct link){stat->st_dev, stat->st_ino, *inode};
	directory->link_count++;
	return 0;
}

/* What names and links may take is used up, or all there is. */
static int no_room(const struct directory *directory, struct err *err)
{
	char what[PATH_MAX + 32];

	(void)snprintf(what, sizeof(what), "cannot read '%s'", directory->name);
	return arena_fail(&directory->tree->arena, what, err);
}

static int take_target(struct directory *directory, int folder, const char *name,
		       struct inode *inode, struct err *err)
{
	char target[TREE_PATH_MAX + 1];
	ssize_t len = readlinkat(folder, name, target, sizeof(target));

	if (len <= 0)
		return err_sys(err, "cannot read the symlink '/%s'", directory->path);
	if (len == (ssize_t)sizeof(target))
		return err_set(err, "the symlink '/%s' is too long", directory->path);
	target[len] = 0;
	inode->size = (uint64_t)len;
	inode->target = arena_string(&directory->tree->arena, target);
	return inode->target ? 0 : no_room(directory, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

/* user.* only: the others are of no use without privileges, or this machine's own (SELinux). */
static int take_xattrs(struct directory *directory, const char *path, struct inode *inode)
{
	struct arena *arena = &directory->tree->arena;
	auto_free char *list = malloc(LIST_MAX), *value = malloc(UINT16_MAX);
	ssize_t size = list && value ? llistxattr(path, list, LIST_MAX) : 0;
	struct xattr *xattr = NULL;
	uint32_t count = 0;

	for (const char *name = list; size > 0 && name < list + size; name += strlen(name) + 1)
		count += strncmp(name, "user.", 5) == 0;
	if (count == 0)
		return list && value ? 0 : -1;
	xattr = arena_take(arena, count * sizeof(*xattr));
	if (!xattr)
		return -1;
	for (const char *name = list; name < list + size; name += strlen(name) + 1) {
		ssize_t n = strncmp(name, "user.", 5) == 0
				    ? lgetxattr(path, name, value, UINT16_MAX)
				    : -1;

		if (n < 0)
			continue;
		xattr[inode->xattr_count] =
			(struct xattr){arena_string(arena, name),
				       arena_copy(arena, value, (size_t)n), (size_t)n};
		if (!xattr[inode->xattr_count].name || !xattr[inode->xattr_count].value)
			return -1;
		inode->xattr_count++;
	}
	qsort(xattr, inode->xattr_count, sizeof(*xattr), by_name);
	inode->xattr = xattr;
	return 0;
}

static int take_file(struct directory *directory, const struct stat *stat, struct inode *inode,
		     struct err *err)
{
	struct arena *arena = &directory->tree->arena;
	struct host_file *host = arena_take(arena, sizeof(*host));

	directory->size += (uint64_t)stat->st_size;
	if (directory->size > directory->limits->max_size)
		return err_set(err,
			       "'/%s': more than %" PRIu64
			       " bytes of files (firn.conf's [build] max-size)",
			       directory->path, directory->limits->max_size);
	if (!host || !(host->path = arena_string(arena, directory->path)))
		return no_room(directory, err);
	host->root = directory->root;
	host->stat = *stat;
	inode->size = (uint64_t)stat->st_size;
	inode->data = (struct data){DATA_HOST, {.host = host}, 0};
	return 0;
}

static int take(struct directory *directory, int folder, const char *name, const struct stat *stat,
		struct node *node, struct err *err)
{
	struct inode *inode = tree_inode(directory->tree, stat->st_mode);
	char path[64 + NAME_MAX];

	if (!inode)
		return no_room(directory, err);
	node->inode = inode;
	if (!S_ISDIR(stat->st_mode) && stat->st_nlink > 1) {
		int known = remember(directory, stat, &node->inode);

		if (known != 0)
			return known < 0 ? err_sys(err, "cannot read '%s'", directory->name) : 0;
	}
	inode->uid = stat->st_uid;
	inode->gid = stat->st_gid;
	inode->mtime = stat->st_mtime < 0	     ? 0
		       : stat->st_mtime > UINT32_MAX ? UINT32_MAX
						     : (uint32_t)stat->st_mtime;
	if (S_ISLNK(stat->st_mode))
		return take_target(directory, folder, name, inode, err);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	if (take_xattrs(directory, path, inode) < 0)
		return no_room(directory, err);
	return S_ISREG(stat->st_mode) ? take_file(directory, stat, inode, err) : 0;
}

/* File systems that show the kernel, not files. */
static bool is_kernels(int folder)
{
	static const unsigned long types[] = {
		PROC_SUPER_MAGIC,
		SYSFS_MAGIC,
		CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC,
		DEBUGFS_MAGIC,
		TRACEFS_MAGIC,
		SECURITYFS_MAGIC,
		BPF_FS_MAGIC,
		EFIVARFS_MAGIC,
		0x19800202 /* mqueue */,
		0x62656570 /* configfs */,
		0x958458f6 /* hugetlbfs */,
	};
	struct statfs statfs;

	if (fstatfs(folder, &statfs) < 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if ((unsigned long)statfs.f_type == types[i])
			return true;
	return false;
}

static int take_folder(struct directory *directory, int folder, dev_t dev, struct node *node,
		       size_t len, int depth, struct err *err);

/* What is being made is no part of what it is made of, nor is what it replaces. */
static bool is_own(const struct directory *directory, const struct stat *stat)
{
	for (size_t i = 0; i < SOURCE_OWN_FILES; i++)
		if (directory->own[i].ino == stat->st_ino &&
		    directory->own[i].dev == stat->st_dev) {
			if (i > 0) /* the first has no name of its own */
				log_note("'/%s' of '%s' is left out: it is the image itself",
					 directory->path, directory->name);
			return true;
		}
	return false;
}

static int take_one(struct directory *directory, int folder, dev_t dev, const char *name,
		    struct node *dir, size_t len, int depth, struct err *err)
{
	size_t name_len = strlen(name);
	struct node *node;
	struct stat stat;
	int child;

	if (len + 1 + name_len > TREE_PATH_MAX || depth == DEPTH_MAX)
		return err_set(err, "'/%.200s...' is too deep", directory->path);
	if (len > 0)
		directory->path[len++] = '/';
	memcpy(directory->path + len, name, name_len + 1);
	if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "cannot read '/%s' of '%s'", directory->path, directory->name);
	if (is_own(directory, &stat))
		return 0;
	node = tree_add(directory->tree, dir, name, name_len, err);
	if (!node || take(directory, folder, name, &stat, node, err) < 0)
		return -1;
	if (!S_ISDIR(stat.st_mode))
		return 0;
	child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return err_sys(err, "cannot open '/%s' of '%s'", directory->path, directory->name);
	if (stat.st_dev != dev && is_kernels(child)) {
		(void)close(child);
		return 0;
	}
	return take_folder(directory, child, stat.st_dev, node, len + name_len, depth + 1, err);
}

/* @folder is taken over. @len: of directory->path. */
static int take_folder(struct directory *directory, int folder, dev_t dev, struct node *node,
		       size_t len, int depth, struct err *err)
{
	auto_dir *list = fdopendir(folder);
	struct dirent *entry;

	if (!list) {
		(void)close(folder);
		return err_sys(err, "cannot read '%s'", directory->name);
	}
	for (errno = 0; (entry = readdir(list)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (take_one(directory, folder, dev, entry->d_name, node, len, depth, err) < 0)
			return -1;
		directory->path[len] = 0;
	}
	return errno == 0 ? 0
			  : err_sys(err, "cannot read '/%s' of '%s'", directory->path,
				    directory->name);
}

static int directory_fill(struct source *source, struct tree *tree, struct err *err)
{
	struct directory *directory = (struct directory *)source;
	struct stat stat;
	int folder = openat(directory->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	directory->tree = tree;
	if (folder < 0 || fstat(folder, &stat) < 0) {
		own_close(&folder);
		return err_sys(err, "cannot read '%s'", directory->name);
	}
	if (take(directory, folder, ".", &stat, tree->root, err) < 0) {
		(void)close(folder);
		return -1;
	}
	return take_folder(directory, folder, stat.st_dev, tree->root, 0, 0, err);
}

int source_from_root(int folder, const char *name, const struct source_options *options,
		     struct source **out, struct err *err)
{
	struct directory *directory = calloc(1, sizeof(*directory));

	if (!directory) {
		(void)close(folder);
		return err_code(err, ENOMEM, "cannot open '%s'", name);
	}
	directory->source.fill = directory_fill;
	directory->source.close = directory_close;
	directory->limits = &options->limits;
	memcpy(directory->own, options->own, sizeof(directory->own));
	directory->root = folder;
	directory->name = strdup(name);
	if (!directory->name) {
		directory_close(&directory->source);
		return err_code(err, ENOMEM, "cannot open '%s'", name);
	}
	*out = &directory->source;
	return 0;
}
