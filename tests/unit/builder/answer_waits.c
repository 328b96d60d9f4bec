/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whom the line's end outside of the cage waits for, and who waits for it. */
#include "tests/unit/builder/answering.h"

/* Threads that may still be started on the other side; -1: any number. */
static int room = -1;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*work)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*work)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*work)(void *), void *arg)
{
	if (room >= 0 && pthread_equal(pthread_self(), main_thread) && room-- == 0) {
		room = 0;
		return EAGAIN;
	}
	return __real_pthread_create(thread, attributes, work, arg);
}

/* A blob of which some bytes have come, and all that is there to have more. */
static struct stream *stream;

static struct ask_blob *open_blob(char *first)
{
	struct ask_blob *blob = NULL;
	struct err err;
	int fd;

	if (ask_for_blob(asker, &blob_digest, BLOB_SIZE, "a layer", &blob, &stream, &fd, &err) < 0)
		return NULL;
	if (stream->read(stream, first, 1, &err) != 1)
		*first = 0;
	return blob;
}

static void what_comes_slowly_comes(void)
{
	long long start = wait_clock_ms();
	char first = 0;
	struct ask_blob *blob = open_blob(&first);

	ok(blob && first == bytes[0] && wait_clock_ms() - start < SOON_MS,
	   "the first bytes do not wait for many more");
	start = wait_clock_ms();
	stream_close(stream);
	(void)ask_blob_close(blob, LINE_WRONG, false);
	ok(wait_clock_ms() - start < SOON_MS, "nor does who has enough of them");
}

/* What is there of a download is seen to be wrong while the rest is waited for. */
static void a_part_may_be_wrong(void)
{
	char path[300], first = 0;
	struct ask_blob *blob;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/ingest/%s.part", place, digest_hex(&blob_digest));
	file = fopen(path, "we");
	if (!file || fputs("wrong", file) < 0 || fclose(file) != 0)
		exit(2);
	blob = open_blob(&first);
	ok(blob && first == 'w', "what is there of it does not wait for the rest");
	stream_close(stream);
	ok(ask_blob_close(blob, LINE_WRONG, false), "if it is wrong, all of it is worth a try");
	ok(access(path, F_OK) < 0, "without what was there");
}

static void who_stops_is_heard(void)
{
	long long start = wait_clock_ms();
	char all[BLOB_SIZE], first = 0;
	struct ask_blob *blob = open_blob(&first);
	struct err err;
	ssize_t n;

	ask_to_stop(asker, false);
	do
		n = blob ? stream->read(stream, all, sizeof(all), &err) : -1;
	while (n > 0);
	ok(blob && n < 0 && wait_clock_ms() - start < SOON_MS,
	   "what another layer's failure ends does not wait, and has failed");
	stream_close(stream);
	(void)ask_blob_close(blob, LINE_LEFT, false);
	blob = open_blob(&first);
	ok(!blob, "there are no blobs after that");
}

static void *open_other(void *arg)
{
	char first;

	(void)arg;
	return open_blob(&first);
}

/* The user may have few threads: who finds no other waits for the one that there is. */
static void with_one_reader(void)
{
	char first = 0;
	struct stream *mine_is, *others;
	struct ask_blob *blob;
	void *other = NULL;
	pthread_t thread;

	room = 1;
	blob = open_blob(&first);
	mine_is = stream;
	ok(blob && first == bytes[0], "with one thread a layer comes");
	if (pthread_create(&thread, NULL, open_other, NULL) != 0)
		exit(2);
	(void)usleep(100000);
	stream_close(mine_is);
	(void)ask_blob_close(blob, LINE_LEFT, false);
	(void)pthread_join(thread, &other);
	others = stream;
	ok(other && others, "and the next one after it");
	stream_close(others);
	(void)ask_blob_close(other, LINE_LEFT, false);
	room = -1;
}

static void without_a_reader(void)
{
	char first = 0;

	room = 0;
	ok(!open_blob(&first), "without any it is an error");
	room = -1;
}

static void nobody_is_left(void)
{
	const struct reference *reference;
	long long start = wait_clock_ms();
	char first = 0;
	struct ask_blob *blob;

	begin("stalls", -1, &reference);
	read_top();
	blob = open_blob(&first);
	for (size_t i = 0; i < LINE_SOCKETS; i++) {
		own_close(&mine[i]);
		mine[i] = -1;
	}
	stream_close(stream);
	end(reference);
	ok(blob && wait_clock_ms() - start < SOON_MS, "the end of who asks ends what it asked for");
	free(blob);
}

int main(void)
{
	set_up();
	with("stalls", -1, what_comes_slowly_comes);
	with("stalls", -1, a_part_may_be_wrong);
	with("stalls", -1, who_stops_is_heard);
	with("stalls", -1, with_one_reader);
	with("stalls", -1, without_a_reader);
	nobody_is_left();
	return tear_down();
}
