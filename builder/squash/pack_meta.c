/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/blocks.h"
#include "builder/squash/pack_private.h"

#include <sqfs/block_processor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/meta_writer.h>
#include <sqfs/xattr_writer.h>

/* What writing the tables needs. */
struct tables {
	struct packer *packer;
	sqfs_meta_writer_t *inodes, *directories;
	sqfs_dir_writer_t *listing;
	struct err *err;
};

static int failed(struct tables *tables, int code, const char *what)
{
	return pack_error(tables->packer, code, what, tables->err);
}

static int add_xattrs(struct tables *tables, const struct inode *inode, sqfs_u32 *index)
{
	sqfs_xattr_writer_t *xattrs = tables->packer->xattrs;
	int result = 0;

	*index = UINT32_MAX;
	if (inode->xattr_count == 0)
		return 0;
	result = sqfs_xattr_writer_begin(xattrs, 0);
	for (uint32_t i = 0; i < inode->xattr_count && result == 0; i++)
		result = sqfs_xattr_writer_add(xattrs, inode->xattr[i].name, inode->xattr[i].value,
					       inode->xattr[i].size);
	if (result == 0)
		result = sqfs_xattr_writer_end(xattrs, index);
	return result == 0 ? 0 : failed(tables, result, "extended attributes");
}

/* The inodes that libsquashfs does not make: everything but files and directories. */
static int make_inode(struct inode *inode)
{
	size_t extra = S_ISLNK(inode->mode) ? (size_t)inode->size : 0;
	sqfs_inode_generic_t *packed = calloc(1, sizeof(*packed) + extra + 1);

	if (!packed)
		return SQFS_ERROR_ALLOC;
	if (S_ISLNK(inode->mode)) {
		packed->base.type = SQFS_INODE_SLINK;
		packed->data.slink.nlink = inode->nlink;
		packed->data.slink.target_size = (sqfs_u32)extra;
		packed->payload_bytes_available = packed->payload_bytes_used = (sqfs_u32)extra;
		memcpy(packed->extra, inode->target, extra);
	} else {
		packed->base.type = S_ISFIFO(inode->mode) ? SQFS_INODE_FIFO : SQFS_INODE_SOCKET;
		packed->data.ipc.nlink = inode->nlink;
	}
	inode->packed = packed;
	return 0;
}

/* What kinds of inodes have in common, and where each keeps its links. */
static int complete(struct tables *tables, struct inode *inode, sqfs_u32 xattr)
{
	sqfs_inode_generic_t *packed = inode->packed;
	sqfs_u16 uid, gid;
	int result = sqfs_id_table_id_to_index(tables->packer->ids, inode->uid, &uid);

	if (result == 0)
		result = sqfs_id_table_id_to_index(tables->packer->ids, inode->gid, &gid);
	if (result != 0)
		return failed(tables, result, "the table of owners");
	if (xattr != UINT32_MAX || (S_ISREG(inode->mode) && inode->nlink > 1)) {
		result = sqfs_inode_make_extended(packed);
		if (result == 0 && xattr != UINT32_MAX)
			result = sqfs_inode_set_xattr_index(packed, xattr);
		if (result != 0)
			return failed(tables, result, "an inode");
	}
	packed->base.mode = (sqfs_u16)inode->mode;
	packed->base.uid_idx = uid;
	packed->base.gid_idx = gid;
	packed->base.mod_time = inode->mtime;
	packed->base.inode_number = inode->number;
	if (packed->base.type == SQFS_INODE_EXT_FILE)
		packed->data.file_ext.nlink = inode->nlink;
	else if (packed->base.type == SQFS_INODE_DIR)
		packed->data.dir.nlink = inode->nlink;
	else if (packed->base.type == SQFS_INODE_EXT_DIR)
		packed->data.dir_ext.nlink = inode->nlink;
	return 0;
}

static int write_inode(struct tables *tables, struct inode *inode)
{
	sqfs_u64 block;
	sqfs_u32 offset, xattr;
	int result = 0;

	if (!inode->packed)
		result = make_inode(inode);
	if (result != 0)
		return failed(tables, result, "an inode");
	if (add_xattrs(tables, inode, &xattr) < 0 || complete(tables, inode, xattr) < 0)
		return -1;
	sqfs_meta_writer_get_position(tables->inodes, &block, &offset);
	inode->ref = block << 16 | offset;
	result = sqfs_meta_writer_write_inode(tables->inodes, inode->packed);
	sqfs_free(inode->packed);
	inode->packed = NULL;
	return result == 0 ? 0 : failed(tables, result, "an inode");
}

static int write_listing(struct tables *tables, struct node *dir, sqfs_u32 parent)
{
	int result = sqfs_dir_writer_begin(tables->listing, 0);

	for (struct node *child = dir->child; child && result == 0; child = child->next)
		result = sqfs_dir_writer_add_entry(tables->listing, child->name,
						   child->inode->number, child->inode->ref,
						   (sqfs_u16)child->inode->mode);
	if (result == 0)
		result = sqfs_dir_writer_end(tables->listing);
	if (result != 0)
		return failed(tables, result, "a directory");
	dir->inode->packed = sqfs_dir_writer_create_inode(tables->listing, 0, UINT32_MAX, parent);
	return dir->inode->packed ? 0 : failed(tables, SQFS_ERROR_ALLOC, "a directory");
}

/* The same order as tree_finish() numbers them in: children's children, then the children. */
static int write_children(struct tables *tables, struct node *dir, sqfs_u32 parent)
{
	for (struct node *child = dir->child; child; child = child->next)
		if (S_ISDIR(child->inode->mode) &&
		    write_children(tables, child, dir->inode->number) < 0)
			return -1;
	for (struct node *child = dir->child; child; child = child->next)
		if (child->inode->ref == UINT64_MAX && write_inode(tables, child->inode) < 0)
			return -1;
	return write_listing(tables, dir, parent);
}

static int write_tree(struct tables *tables, const struct tree *tree)
{
	struct packer *packer = tables->packer;
	int result;

	packer->super.inode_table_start = packer->file->get_size(packer->file);
	if (write_children(tables, tree->root, tree_inode_count(tree) + 1) < 0 ||
	    write_inode(tables, tree->root->inode) < 0)
		return -1;
	packer->super.root_inode_ref = tree->root->inode->ref;
	packer->super.inode_count = tree_inode_count(tree);
	result = sqfs_meta_writer_flush(tables->inodes);
	if (result == 0)
		result = sqfs_meta_writer_flush(tables->directories);
	packer->super.directory_table_start = packer->file->get_size(packer->file);
	if (result == 0)
		result = sqfs_meta_write_write_to_file(tables->directories);
	return result == 0 ? 0 : failed(tables, result, "the directories");
}

static int write_tables(struct packer *packer, const struct tree *tree, struct err *err)
{
	struct tables tables = {.packer = packer, .err = err};
	int result = -1;

	tables.inodes = sqfs_meta_writer_create(packer->file, packer->compressor, 0);
	tables.directories = sqfs_meta_writer_create(packer->file, packer->compressor,
						     SQFS_META_WRITER_KEEP_IN_MEMORY);
	if (tables.directories)
		tables.listing = sqfs_dir_writer_create(tables.directories, 0);
	if (!tables.inodes || !tables.listing)
		(void)failed(&tables, SQFS_ERROR_ALLOC, "the image");
	else
		result = write_tree(&tables, tree);
	sqfs_destroy(tables.listing);
	sqfs_destroy(tables.directories);
	sqfs_destroy(tables.inodes);
	return result;
}

static int clear_ref(void *arg, struct node *node, struct err *err)
{
	(void)arg, (void)err;
	node->inode->ref = UINT64_MAX;
	return 0;
}

int packer_finish(struct packer *packer, const struct tree *tree, uint32_t mtime, uint64_t *size,
		  struct err *err)
{
	static const char zeros[PACK_ALIGNMENT];
	sqfs_super_t *super = &packer->super;
	int result = sqfs_block_processor_finish(packer->processor);

	if (result != 0)
		return pack_error(packer, result, "the image", err);
	if (tree_walk(tree, clear_ref, NULL, err) < 0 || write_tables(packer, tree, err) < 0)
		return -1;
	super->modification_time = mtime;
	result = sqfs_frag_table_write(packer->fragments, packer->file, super, packer->compressor);
	if (result == 0)
		result = sqfs_id_table_write(packer->ids, packer->file, super, packer->compressor);
	if (result == 0)
		result = sqfs_xattr_writer_flush(packer->xattrs, packer->file, super,
						 packer->compressor);
	if (result == 0) {
		super->bytes_used = packer->file->get_size(packer->file);
		*size = (super->bytes_used + PACK_ALIGNMENT - 1) / PACK_ALIGNMENT * PACK_ALIGNMENT;
		result = packer->file->write_at(packer->file, super->bytes_used, zeros,
						(size_t)(*size - super->bytes_used));
	}
	if (result == 0)
		result = sqfs_super_write(super, packer->file);
	return result == 0 ? 0 : pack_error(packer, result, "the image", err);
}

void packer_forget(struct tree *tree)
{
	struct node *node = tree ? tree->root : NULL;

	while (node) { /* the tree may be unfinished: nodes without inodes */
		const struct node *up = node;
		struct node *next = node->child;

		if (node->inode && node->inode->packed) {
			sqfs_free(node->inode->packed);
			node->inode->packed = NULL;
		}
		for (; !next && up != tree->root; up = up->parent)
			next = up->next;
		node = next;
	}
}
