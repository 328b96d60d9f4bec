/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tree.h - the files of the image to be, before a byte of it is written.
 *
 * Names are keys in a tree and nothing else: none is ever looked up, made or
 * followed on the host. A node is a name in a directory, an inode what it
 * names; hard links are several nodes with one inode. All of them live in an
 * arena and go together.
 *
 * Layers are applied from the lowest to the highest (OCI image-spec layer.md):
 * first what a layer hides of those below it, then its entries in the
 * archive's order. tree_merge.c has the rules one by one.
 *
 * One thread builds a tree, finishes it (tree_finish()) and then walks it. What is
 * put into it by others' code, inodes and texts, must live as long: most of it is in
 * the arenas of layers, which share the tree's budget. Functions that can fail return
 * -1, or NULL, with @err.
 */
#ifndef FIRN_BUILDER_SQUASH_TREE_H
#define FIRN_BUILDER_SQUASH_TREE_H

#include "builder/squash/arena.h"
#include "builder/tar/tar.h"

#include <sys/stat.h>

/* Names in the root that tell runners of the image, and what firn puts there (compat.h). */
#define FIRN_DIR ".firn"
#define CH_DIR "ch"
#define CONFIG_FILE ".firn/config.json"
#define PROVENANCE_FILE ".firn/provenance.json"

enum {
	TREE_NAME_MAX = 255,  /* bytes of one component: the kernel's NAME_MAX */
	TREE_PATH_MAX = 4095, /* bytes of a path: PATH_MAX without its NUL */
};

/*
 * An extended attribute, by its full name ("user.mime_type"); the value is @size bytes of any
 * kind.
 */
struct xattr {
	const char *name;
	const void *value;
	size_t size;
};

/*
 * Where a file's bytes are: nowhere (it is empty, or no regular file), in memory, in a layer's
 * stream of the spool, in an open file, in a file of the host, or in a squashfs. What they are in
 * is borrowed, and read when the image is written (data.h).
 */
enum data_kind { DATA_NONE, DATA_MEMORY, DATA_SPOOL, DATA_FD, DATA_HOST, DATA_SQUASHFS };
struct data {
	enum data_kind kind;
	union {
		const void *memory;
		struct spool_stream *spool;
		int fd;
		const struct host_file *host;
		struct squashfs_reader *squashfs;
	} from;
	/* Of the first stored byte in it; of a squashfs the inode's reference. */
	uint64_t offset;
};

/* What names name. Two names of one inode are hard links. All it points to is an arena's. */
struct inode {
	mode_t mode; /* with the type */
	uint32_t uid, gid;
	uint32_t mtime;	      /* seconds since the epoch */
	uint32_t nlink;       /* names; set by tree_number() */
	uint32_t number;      /* 1 and up; set by tree_number() */
	uint32_t xattr_count;
	uint32_t segment_count;
	uint64_t size;        /* of a file, bytes */
	const char *target;   /* of a symlink */
	/* Sorted by name, so that the same set is the same list. */
	const struct xattr *xattr;
	const struct tar_segment *segment; /* a sparse file's pieces; NULL: all of it is stored */
	struct data data;
	/* sha256 of a file's bytes, DIGEST_SIZE of them; NULL before they were read. */
	const uint8_t *sum;
	/* pack.c's: the inode to be written, and the reference of what it wrote. */
	struct sqfs_inode_generic_t *packed;
	uint64_t ref;
};

/* A name in a directory. */
struct node {
	struct node *parent, *child;
	struct node *next, *prev;           /* among the parent's children, in no order yet */
	/* NULL in a directory only implied by others' paths, until tree_finish(). */
	struct inode *inode;
	struct node *bucket;                /* tree.c's */
	uint32_t layer;                     /* that decided it, 1 and up */
	uint32_t len;
	char name[];
};

/* Private to tree.c, but for the root and the arena, which others may take from. */
struct tree {
	struct arena arena;
	struct node *root; /* its own parent */
	size_t count;      /* of nodes */
	size_t max;        /* entries allowed; 0: any number */
	struct node **table; /* hash table of (parent, name) */
	size_t table_size;
};

/*
 * A new tree of nothing but a root that is only implied so far. At most @max nodes (0: any number),
 * and @memory bytes of names and inodes, which is borrowed (NULL: no limit).
 */
int tree_new(size_t max, struct budget *memory, struct tree **out, struct err *err);
void tree_free(struct tree *tree);
void tree_freep(struct tree **tree);
#define auto_tree CLEANUP(tree_freep) struct tree

/* A new inode of the arena, zeroed; NULL without memory. */
struct inode *tree_inode(struct tree *tree, mode_t mode);

/*
 * The child @name (@len bytes, no NUL needed) of @dir, or NULL. Takes as long in a large directory
 * as in a small one.
 */
struct node *tree_child(const struct tree *tree, const struct node *dir, const char *name,
			size_t len);
/* The node at the tidy relative @path ("usr/bin/env"; "" is the root), or NULL. */
struct node *tree_find(const struct tree *tree, const char *path);
/*
 * The node that @path names in a system of these files: symlinks on the way are followed,
 * never out of the tree; the last component is not. NULL also for a loop.
 */
struct node *tree_resolve(const struct tree *tree, const char *path);
/*
 * Add a node that is not there yet, without an inode: implied, until somebody sets one. @name is
 * copied. NULL with @err when there are too many or there is no memory.
 */
struct node *tree_add(struct tree *tree, struct node *dir, const char *name, size_t len,
		      struct err *err);
/* Take @node and all below it out. The root only loses what is below it. */
void tree_remove(struct tree *tree, struct node *node);
/* Is it a directory, named or implied by others' paths? */
bool node_is_dir(const struct node *node);
/* The path of @node with a slash in front, into @buffer of @size bytes; cut at the front when too
 * long. Returns where in it the path begins. */
const char *node_path(const struct node *node, char *buffer, size_t size);

/*
 * Give every implied directory an inode (0755, 0:0, time 0), sort all children
 * by the bytes of their names, count links, and number inodes: those of one
 * directory's children stand together, in the order in which pack.c writes them.
 */
int tree_finish(struct tree *tree, struct err *err);
/* How many inodes the finished tree has, which is its highest number. */
uint32_t tree_inode_count(const struct tree *tree);

/*
 * Go through the finished tree in path order, directories before their children, without recursion:
 * how deep it is a stranger says. @visit ends it by anything but 0, which is then returned.
 */
typedef int tree_visit(void *arg, struct node *node, struct err *err);
int tree_walk(const struct tree *tree, tree_visit *visit, void *arg, struct err *err);

/* One entry of a layer, as tree_apply() takes it; all of it outlives the tree. */
enum entry_kind { ENTRY_INODE, ENTRY_HARDLINK, ENTRY_WHITEOUT, ENTRY_OPAQUE };
struct entry {
	enum entry_kind kind;
	const char *path;   /* tidy and relative; what a whiteout hides; "" for the root */
	const char *target; /* ENTRY_HARDLINK: tidy and relative */
	struct inode *inode;
	bool hidden;        /* only there to be linked to, by this layer: below a note of aufs */
};

/* Names of aufs' own that begin like this are notes, not files: ".wh..wh.plnk/12.34". */
#define TREE_NOTE ".wh..wh."

/*
 * Put layer @number (1 is the lowest) with its entries over the tree. Layers come in order, each
 * once. Returns 0, or -1 with @err, as for a hard link to what is not there; the tree is then of no
 * more use.
 */
int tree_apply(struct tree *tree, uint32_t number, struct entry *entry, size_t count,
	       struct err *err);

/*
 * "./a//b/" as "a/b" into @out (TREE_PATH_MAX + 1 bytes). Absolute names lose
 * their slash. ".." is refused, and names that are too long.
 */
int path_of_entry(const char *name, char *out, struct err *err);

#endif
