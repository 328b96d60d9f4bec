/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	AHEAD_FILES = 8, /* of the first programs only: later ones find the caches warm, or time to wait */
	AHEAD_MAX = 8 << 20, /* bytes: a larger file is not read through by a start */
	AHEAD_STACK = 256 << 10,
};

struct ahead {
	struct squashfs *image;
	struct squashfs_inode inode;
};

/* Reading a part of a block brings the whole of it into the cache. */
static void bring(struct squashfs_reader *reader, const struct squashfs_inode *inode, uint32_t step)
{
	for (uint64_t at = step; at < inode->size; at += step) {
		struct squashfs_span span;
		struct err err;

		/* Damage is told when somebody wants the block. */
		if (squashfs_read(reader, inode, at, 1, &span, &err) < 0)
			return;
		squashfs_span_release(reader, &span);
	}
}

static void *ahead_main(void *arg)
{
	struct ahead *ahead = arg;
	struct squashfs_reader *reader;
	struct err err;

	if (squashfs_reader_new(ahead->image, &reader, &err) == 0) {
		bring(reader, &ahead->inode, squashfs_info(ahead->image)->block_size);
		squashfs_reader_free(reader);
	}
	free(ahead);
	return NULL;
}

/* Nobody waits for the thread: the server's end, by _exit(2), is its end. */
static void start_thread(struct ahead *ahead)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) != 0) {
		free(ahead);
		return;
	}
	(void)pthread_attr_setstacksize(&attr, AHEAD_STACK);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, ahead_main, ahead) != 0)
		free(ahead);
	(void)pthread_attr_destroy(&attr);
}

void ahead_begin(struct server *server, const struct squashfs_inode *inode)
{
	struct ahead *ahead;

	if (!server->ahead || !S_ISREG(inode->mode) || !(inode->mode & 0111) ||
	    inode->size <= squashfs_info(server->image)->block_size || inode->size > AHEAD_MAX ||
	    atomic_fetch_add(&server->ahead_files, 1) >= AHEAD_FILES)
		return;
	ahead = malloc(sizeof(*ahead));
	if (!ahead)
		return;
	ahead->image = server->image;
	ahead->inode = *inode;
	start_thread(ahead);
}
