/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/readahead.h"

#include <pthread.h>

enum { PIECES = 4, PIECE_SIZE = 256 << 10 };

struct piece {
	size_t size;
	char data[PIECE_SIZE];
};

struct readahead {
	struct stream stream;
	struct stream *below; /* the thread's */
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t changed;
	size_t first, count; /* pieces that are filled: a ring */
	bool ended, stop;
	ssize_t last; /* what the last read gave: 0 or -1 with err */
	struct err err;
	size_t at; /* of the first piece; the reader's own */
	struct piece piece[PIECES];
};

/* The piece to fill next, or NULL to stop. */
static struct piece *wait_for_room(struct readahead *ahead)
{
	struct piece *piece;

	(void)pthread_mutex_lock(&ahead->lock);
	while (ahead->count == PIECES && !ahead->stop)
		(void)pthread_cond_wait(&ahead->changed, &ahead->lock);
	piece = ahead->stop ? NULL : &ahead->piece[(ahead->first + ahead->count) % PIECES];
	(void)pthread_mutex_unlock(&ahead->lock);
	return piece;
}

static void *read_ahead(void *arg)
{
	struct readahead *ahead = arg;
	struct piece *piece;
	ssize_t n = 1;

	while (n > 0 && (piece = wait_for_room(ahead))) {
		n = ahead->below->read(ahead->below, piece->data, PIECE_SIZE, &ahead->err);
		(void)pthread_mutex_lock(&ahead->lock);
		if (n > 0) {
			piece->size = (size_t)n;
			ahead->count++;
		} else {
			ahead->last = n;
			ahead->ended = true;
		}
		(void)pthread_cond_signal(&ahead->changed);
		(void)pthread_mutex_unlock(&ahead->lock);
	}
	return NULL;
}

static void give_back(struct readahead *ahead)
{
	(void)pthread_mutex_lock(&ahead->lock);
	ahead->first = (ahead->first + 1) % PIECES;
	ahead->count--;
	(void)pthread_cond_signal(&ahead->changed);
	(void)pthread_mutex_unlock(&ahead->lock);
	ahead->at = 0;
}

static bool wait_for_piece(struct readahead *ahead)
{
	bool there;

	(void)pthread_mutex_lock(&ahead->lock);
	while (ahead->count == 0 && !ahead->ended)
		(void)pthread_cond_wait(&ahead->changed, &ahead->lock);
	there = ahead->count > 0;
	(void)pthread_mutex_unlock(&ahead->lock);
	return there;
}

static ssize_t ahead_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct readahead *ahead = (struct readahead *)stream;
	struct piece *piece;

	if (ahead->at == 0 && !wait_for_piece(ahead)) {
		if (ahead->last < 0)
			*err = ahead->err;
		return ahead->last;
	}
	piece = &ahead->piece[ahead->first];
	if (size > piece->size - ahead->at)
		size = piece->size - ahead->at;
	memcpy(buffer, piece->data + ahead->at, size);
	ahead->at += size;
	if (ahead->at == piece->size)
		give_back(ahead);
	return (ssize_t)size;
}

static void ahead_free(struct readahead *ahead)
{
	(void)pthread_cond_destroy(&ahead->changed);
	(void)pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

static void ahead_close(struct stream *stream)
{
	struct readahead *ahead = (struct readahead *)stream;

	(void)pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	(void)pthread_cond_signal(&ahead->changed);
	(void)pthread_mutex_unlock(&ahead->lock);
	(void)pthread_join(ahead->thread, NULL);
	stream_close(ahead->below);
	ahead_free(ahead);
}

int ahead_open(struct stream *below, struct stream **out, struct err *err)
{
	struct readahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead) {
		stream_close(below);
		return err_code(err, ENOMEM, "cannot read a layer");
	}
	ahead->stream = (struct stream){ahead_read, ahead_close};
	ahead->below = below;
	(void)pthread_mutex_init(&ahead->lock, NULL);
	(void)pthread_cond_init(&ahead->changed, NULL);
	if (pthread_create(&ahead->thread, NULL, read_ahead, ahead) == 0) {
		*out = &ahead->stream;
		return 0;
	}
	ahead_free(ahead);
	*out = below;
	return 0;
}
