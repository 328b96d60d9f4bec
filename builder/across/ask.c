/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/across/ask.h"

#include "lib/pass.h"

#include <pthread.h>

/* A socket of a reader's: whether somebody answers there, and for whom. */
enum state { UNUSED, FREE, BUSY, DEAD };

struct asker {
	pthread_mutex_t first; /* over the first socket */
	pthread_mutex_t lock;  /* over the states of the others */
	pthread_cond_t freed;  /* one of them is not busy any more */
	int socket[LINE_SOCKETS];
	enum state state[LINE_SOCKETS];
};

enum { SILENCE = -2 }; /* a question was not answered at all */

struct ask_blob {
	struct asker *ask;
	size_t channel;
	int fd; /* a file, or the pipe */
};

/* What comes out of the pipe, until it ends; then the other side tells why. */
struct arriving {
	struct stream stream;
	struct ask_blob *blob;
	bool ended;
};

int ask_new(const int socket[LINE_SOCKETS], struct asker **out, struct err *err)
{
	struct asker *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return err_sys(err, "cannot read the source");
	(void)pthread_mutex_init(&ask->first, NULL);
	(void)pthread_mutex_init(&ask->lock, NULL);
	(void)pthread_cond_init(&ask->freed, NULL);
	memcpy(ask->socket, socket, sizeof(ask->socket));
	*out = ask;
	return 0;
}

void ask_free(struct asker *ask)
{
	if (!ask)
		return;
	(void)pthread_mutex_destroy(&ask->first);
	(void)pthread_mutex_destroy(&ask->lock);
	(void)pthread_cond_destroy(&ask->freed);
	free(ask);
}

/* @fd (may be NULL) gets the answer's descriptor, the caller's, or -1. Returns 0, -1 or SILENCE. */
static int talk(int socket, const struct line_ask *question, struct line_answer *answer, int *fd,
		struct err *err)
{
	struct pass out = {.data = question, .size = sizeof(*question)}, in;
	ssize_t got = -1;

	if (pass_send(socket, &out, 0) == 0)
		got = pass_receive(socket, answer, sizeof(*answer), &in, 0);
	if (got != sizeof(*answer)) {
		while (got > 0 && in.count > 0)
			(void)close(in.fd[--in.count]);
		(void)err_set(err, "the process that fetches does not answer");
		return SILENCE;
	}
	while (in.count > (fd ? 1 : 0))
		(void)close(in.fd[--in.count]);
	if (fd)
		*fd = in.count > 0 ? in.fd[0] : -1;
	if (answer->result == 0)
		return 0;
	*err = answer->err;
	return -1;
}

static int talk_first(struct asker *ask, const struct line_ask *question,
		      struct line_answer *answer, int *fd, struct err *err)
{
	int result;

	(void)pthread_mutex_lock(&ask->first);
	result = talk(ask->socket[0], question, answer, fd, err);
	(void)pthread_mutex_unlock(&ask->first);
	return result;
}

/* All of a document's file. */
static int read_all(int fd, uint64_t size, size_t max, char **text, struct err *err)
{
	auto_stream *stream = NULL;
	auto_free char *data = NULL;

	if (fd < 0)
		return err_set(err, "the process that fetches gives no document");
	if (size > max)
		return err_set(err, "a document is larger than %zu bytes", max);
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read a document");
	if (stream_open_file(fd, false, 0, size, "a document", &stream, err) < 0 ||
	    stream_fill(stream, data, (size_t)size, err) < 0)
		return -1;
	data[size] = 0;
	*text = take_ptr(&data);
	return 0;
}

int ask_top(struct asker *ask, size_t max, struct ask_document *out, struct err *err)
{
	struct line_ask question = {.what = LINE_TOP};
	struct line_answer answer;
	auto_fd fd = -1;

	*out = (struct ask_document){0};
	if (talk_first(ask, &question, &answer, &fd, err) < 0 ||
	    read_all(fd, answer.size, max, &out->text, err) < 0)
		return -1;
	out->size = (size_t)answer.size;
	out->digest = answer.digest;
	memcpy(out->media_type, answer.media_type, sizeof(out->media_type));
	return 0;
}

int ask_for_document(struct asker *ask, const struct digest *digest, uint64_t size,
		     bool is_manifest, size_t max, char **text, size_t *out_size, struct err *err)
{
	struct line_ask question = {.what = LINE_DOCUMENT,
				    .flag = is_manifest,
				    .size = size,
				    .digest = *digest};
	struct line_answer answer;
	auto_fd fd = -1;

	if (talk_first(ask, &question, &answer, &fd, err) < 0 ||
	    read_all(fd, answer.size, max, text, err) < 0)
		return -1;
	*out_size = (size_t)answer.size;
	return 0;
}

int ask_to_name(struct asker *ask, bool is_index, uint64_t size, struct err *err)
{
	struct line_ask question = {.what = LINE_NAME, .flag = is_index, .size = size};
	struct line_answer answer;

	return talk_first(ask, &question, &answer, NULL, err);
}

void ask_to_stop(struct asker *ask, bool all_read)
{
	struct line_ask question = {.what = LINE_STOP, .flag = all_read};
	struct line_answer answer;
	struct err ignored;

	if (ask->socket[1] >= 0)
		(void)talk_first(ask, &question, &answer, NULL, &ignored);
}

int ask_for_member(struct asker *ask, const char *path, uint64_t *size, struct err *err)
{
	struct line_ask question = {.what = LINE_MEMBER};
	struct line_answer answer;
	int fd = -1;

	(void)snprintf(question.text, sizeof(question.text), "%s", path);
	if (talk_first(ask, &question, &answer, &fd, err) < 0)
		return -1;
	*size = answer.size;
	return fd < 0 ? err_set(err, "the process that opens files gives no '%s'", path) : fd;
}

static ssize_t arriving_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct arriving *arriving = (struct arriving *)stream;
	struct ask_blob *blob = arriving->blob;
	struct line_ask question = {.what = LINE_BLOB_END};
	struct line_answer answer;
	ssize_t n;

	if (arriving->ended)
		return 0;
	do
		n = read(blob->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "cannot read what is fetched");
	if (n > 0 || size == 0)
		return n;
	if (talk(blob->ask->socket[blob->channel], &question, &answer, NULL, err) < 0)
		return -1;
	arriving->ended = true;
	return 0;
}

/* The other side may wait until there is room in the pipe: nobody reads any more. */
static void arriving_close(struct stream *stream)
{
	struct arriving *arriving = (struct arriving *)stream;

	own_close(&arriving->blob->fd);
	arriving->blob->fd = -1;
	free(arriving);
}

/* One in @state, or LINE_SOCKETS. With the lock held. */
static size_t find(const struct asker *ask, enum state state)
{
	size_t channel = 1;

	while (channel < LINE_SOCKETS && (ask->socket[channel] < 0 || ask->state[channel] != state))
		channel++;
	return channel;
}

static void leave_channel(struct asker *ask, size_t channel, enum state state)
{
	(void)pthread_mutex_lock(&ask->lock);
	ask->state[channel] = state;
	(void)pthread_cond_broadcast(&ask->freed);
	(void)pthread_mutex_unlock(&ask->lock);
}

/* Somebody is to answer there. */
static int begin_channel(struct asker *ask, size_t channel, struct err *err)
{
	struct line_ask question = {.what = LINE_READER, .flag = (uint32_t)channel};
	struct line_answer answer;

	if (talk_first(ask, &question, &answer, NULL, err) == 0)
		return 0;
	leave_channel(ask, channel, DEAD);
	return -1;
}

/*
 * A socket on which somebody answers, which is the caller's then; one that others use is waited
 * for. Returns LINE_SOCKETS and @err when there is none.
 */
static size_t take_channel(struct asker *ask, struct err *err)
{
	for (;;) {
		enum state was = FREE;
		size_t channel;

		(void)pthread_mutex_lock(&ask->lock);
		channel = find(ask, FREE);
		if (channel == LINE_SOCKETS) {
			was = UNUSED;
			channel = find(ask, UNUSED);
		}
		if (channel < LINE_SOCKETS)
			ask->state[channel] = BUSY;
		else if (find(ask, BUSY) < LINE_SOCKETS)
			(void)pthread_cond_wait(&ask->freed, &ask->lock);
		else
			was = DEAD;
		(void)pthread_mutex_unlock(&ask->lock);
		if (was == DEAD || (channel < LINE_SOCKETS &&
				    (was == FREE || begin_channel(ask, channel, err) == 0)))
			return channel;
	}
}

void ask_to_begin(struct asker *ask)
{
	struct err ignored;

	if (ask->socket[1] < 0 || ask->state[1] != UNUSED)
		return;
	ask->state[1] = BUSY;
	if (begin_channel(ask, 1, &ignored) == 0)
		leave_channel(ask, 1, FREE);
}

static int open_stream(struct ask_blob *blob, bool pipe, uint64_t size, const char *what,
		       struct stream **out, struct err *err)
{
	struct arriving *arriving;

	if (!pipe)
		return stream_open_file(blob->fd, false, 0, size, what, out, err);
	arriving = calloc(1, sizeof(*arriving));
	if (!arriving)
		return err_sys(err, "cannot fetch %s", what);
	arriving->stream = (struct stream){arriving_read, arriving_close};
	arriving->blob = blob;
	*out = &arriving->stream;
	return 0;
}

/* On the first socket that is not silent. */
static int ask_open(struct ask_blob *blob, const struct line_ask *question,
		    struct line_answer *answer, struct err *err)
{
	struct asker *ask = blob->ask;
	int result = SILENCE;

	while (result == SILENCE && (blob->channel = take_channel(ask, err)) < LINE_SOCKETS) {
		result = talk(ask->socket[blob->channel], question, answer, &blob->fd, err);
		if (result < 0)
			leave_channel(ask, blob->channel, result == SILENCE ? DEAD : FREE);
	}
	return result < 0 ? -1 : 0;
}

int ask_for_blob(struct asker *ask, const struct digest *digest, uint64_t size, const char *what,
		 struct ask_blob **out, struct stream **stream, int *fd, struct err *err)
{
	struct line_ask question = {.what = LINE_BLOB, .size = size, .digest = *digest};
	struct line_answer answer;
	struct ask_blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return err_sys(err, "cannot fetch %s", what);
	*blob = (struct ask_blob){ask, LINE_SOCKETS, -1};
	(void)snprintf(question.text, sizeof(question.text), "%s", what);
	(void)err_set(err, "cannot fetch %s: nobody answers", what);
	if (ask_open(blob, &question, &answer, err) < 0) {
		free(blob);
		return -1;
	}
	if (blob->fd < 0)
		(void)err_set(err, "the process that fetches gives nothing of %s", what);
	if (blob->fd < 0 || open_stream(blob, answer.flag, size, what, stream, err) < 0) {
		(void)ask_blob_close(blob, LINE_LEFT, false);
		return -1;
	}
	*fd = answer.flag ? -1 : blob->fd;
	*out = blob;
	return 0;
}

bool ask_blob_close(struct ask_blob *blob, enum line_verdict verdict, bool keep)
{
	struct line_ask question = {.what = LINE_BLOB_CLOSE, .flag = verdict};
	struct line_answer answer;
	struct err ignored;
	bool again;

	if (!keep)
		own_close(&blob->fd);
	again = talk(blob->ask->socket[blob->channel], &question, &answer, NULL, &ignored) == 0 &&
		answer.flag;
	leave_channel(blob->ask, blob->channel, FREE);
	free(blob);
	return again;
}
