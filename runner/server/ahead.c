/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	AHEAD_FILES = 8, /* of the first programs only: later ones find the caches warm, or time to
			    wait */
	AHEAD_MAX = 8 << 20, /* bytes: a larger file is not read through by a start */
};

struct ahead {
	pthread_mutex_t lock;
	pthread_cond_t more;
	atomic_int asked;  /* files that were begun, with those that are not in the queue */
	int put, taken;    /* of @file */
	struct squashfs *image; /* of all of them */
	struct squashfs_inode file[AHEAD_FILES];
};

struct ahead *ahead_new(void)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return NULL;
	(void)pthread_mutex_init(&ahead->lock, NULL);
	(void)pthread_cond_init(&ahead->more, NULL);
	return ahead;
}

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

static void wait_for_more(struct ahead *ahead)
{
	(void)pthread_mutex_lock(&ahead->lock);
	while (ahead->taken == ahead->put)
		(void)pthread_cond_wait(&ahead->more, &ahead->lock);
	(void)pthread_mutex_unlock(&ahead->lock);
}

void ahead_run(struct ahead *ahead)
{
	struct squashfs_reader *reader = NULL;
	struct err err;

	for (; ahead->taken < AHEAD_FILES; ahead->taken++) {
		wait_for_more(ahead);
		if (!reader && squashfs_reader_new(ahead->image, &reader, &err) < 0)
			return;
		bring(reader, &ahead->file[ahead->taken], squashfs_info(ahead->image)->block_size);
	}
	squashfs_reader_free(reader);
}

void ahead_begin(struct server *server, const struct squashfs_inode *inode)
{
	struct ahead *ahead = server->ahead;

	if (!ahead || !S_ISREG(inode->mode) || !(inode->mode & 0111) ||
	    inode->size <= squashfs_info(server->image)->block_size || inode->size > AHEAD_MAX ||
	    atomic_load_explicit(&ahead->asked, memory_order_relaxed) >= AHEAD_FILES ||
	    atomic_fetch_add(&ahead->asked, 1) >= AHEAD_FILES)
		return;
	(void)pthread_mutex_lock(&ahead->lock);
	ahead->image = server->image;
	ahead->file[ahead->put++] = *inode;
	(void)pthread_cond_signal(&ahead->more);
	(void)pthread_mutex_unlock(&ahead->lock);
}
