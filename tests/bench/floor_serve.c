/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * floor_serve.c - libsquashfuse and libfuse as their packages offer them.
 *
 * squashfuse's installed headers define PACKAGE, HAVE_... and _POSIX_C_SOURCE:
 * they are kept in this one file, which includes nothing of ours that minds.
 */
#include <squashfuse/ll.h>

#include "tests/bench/floor.h"

#include <stdio.h>

static const struct fuse_lowlevel_ops operations = {
	.getattr = sqfs_ll_op_getattr,
	.opendir = sqfs_ll_op_opendir,
	.releasedir = sqfs_ll_op_releasedir,
	.readdir = sqfs_ll_op_readdir,
	.lookup = sqfs_ll_op_lookup,
	.open = sqfs_ll_op_open,
	.create = sqfs_ll_op_create,
	.release = sqfs_ll_op_release,
	.read = sqfs_ll_op_read,
	.readlink = sqfs_ll_op_readlink,
	.listxattr = sqfs_ll_op_listxattr,
	.getxattr = sqfs_ll_op_getxattr,
	.forget = sqfs_ll_op_forget,
	.statfs = stfs_ll_op_statfs,
};

int floor_serve(const char *image, int device)
{
	char name[] = "floor", where[32];
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session;
	sqfs_ll *tree = sqfs_ll_open(image, 0);

	if (!tree)
		return 1;
	(void)snprintf(where, sizeof(where), "/dev/fd/%d", device);
	session = fuse_session_new(&args, &operations, sizeof(operations), tree);
	if (!session || fuse_session_mount(session, where) < 0) {
		fprintf(stderr, "floor: libfuse does not take the mounted device\n");
		return 1;
	}
	return fuse_session_loop(session) < 0;
}
