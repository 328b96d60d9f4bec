/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/across/answer.h"

#include "builder/across/given.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/pass.h"
#include "lib/path.h"
#include "lib/size.h"
#include "lib/text.h"
#include "lib/wait.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
	PIECE_SIZE = 256 << 10,
	PIPE_SIZE = 1 << 20,
	ROOM_TOLD = 256 << 20,
	HOLD_MS = 100, /* at most, before bytes are handed on */
};

/* One reader of layers, from here. */
struct channel {
	struct answer *answer;
	int socket;
	pthread_t thread;
	bool runs;
	struct supply_blob *blob;
	int pipe;		/* where its bytes go; -1 */
	struct patience patience;
	struct line_answer end; /* how it ended */
};

struct answer {
	struct answer_about about;
	struct supply *supply;
	struct err failure; /* why there is no supply */
	struct given *given;
	atomic_bool stopped; /* no blob is wanted any more */
	size_t count;	     /* sockets: one, or all */
	struct channel channel[LINE_SOCKETS];
};

static void close_all(int fd[LINE_SOCKETS])
{
	for (size_t i = 0; i < LINE_SOCKETS; i++) {
		own_close(&fd[i]);
		fd[i] = -1;
	}
}

/* As long as the other side has its ends, of what it is asked by and of what it reads. */
static bool is_waited_for(const void *arg)
{
	const struct channel *channel = arg;
	/* Errors and ends are told without being asked for. */
	struct pollfd theirs[] = {{.fd = channel->socket}, {.fd = channel->pipe}};

	return !atomic_load(&channel->answer->stopped) && poll(theirs, COUNT_OF(theirs), 0) <= 0;
}

int answer_new(const struct answer_about *about, struct answer **out, int theirs[LINE_SOCKETS],
	       struct err *err)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	for (size_t i = 0; i < LINE_SOCKETS; i++)
		theirs[i] = -1;
	if (!answer)
		return err_sys(err, "cannot read '%s'", about->name);
	answer->about = *about;
	answer->count = about->reference ? LINE_SOCKETS : about->folder >= 0 ? 1 : 0;
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		answer->channel[i] =
			(struct channel){.answer = answer,
					 .socket = -1,
					 .pipe = -1,
					 .patience = {is_waited_for, &answer->channel[i]}};
	for (size_t i = 0; i < answer->count; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
			(void)err_sys(err, "cannot read '%s'", about->name);
			close_all(theirs);
			answer_end(answer);
			return -1;
		}
		answer->channel[i].socket = pair[0];
		theirs[i] = pair[1];
	}
	*out = answer;
	return 0;
}

int answer_socket(const struct answer *answer)
{
	return answer->channel[0].socket;
}

static int fail(struct line_answer *say)
{
	say->result = -1;
	return -1;
}

/* A file without a name that only we could have written. */
static int put_in_file(const struct document *document, struct line_answer *say)
{
	auto_fd fd = memfd_create("firn-document", MFD_CLOEXEC);

	if (fd < 0 || file_write_all(fd, document->text, document->size) < 0) {
		(void)err_sys(&say->err, "cannot keep a document");
		return fail(say);
	}
	say->size = document->size;
	say->digest = document->digest;
	(void)snprintf(say->media_type, sizeof(say->media_type), "%s", document->media_type);
	return take_fd(&fd);
}

static int get_document(struct answer *answer, const struct line_ask *ask,
			struct document *document, struct err *err)
{
	struct supply *supply = answer->supply;
	const struct patience *patience = &answer->channel[0].patience;
	struct digest digest;

	if (!supply) {
		*err = answer->failure;
		return -1;
	}
	if (ask->what == LINE_TOP)
		return supply_top(supply, patience, document, err);
	if (digest_take(&digest, ask->digest.text) < 0)
		return err_set(err, "a digest that is none was asked for");
	if (given_has(answer->given, &digest, err) < 0)
		return -1;
	return supply_document(supply, &digest, ask->size, ask->flag, patience, document, err);
}

static int give_document(struct answer *answer, const struct line_ask *ask, struct line_answer *say)
{
	struct document document = {0};
	int fd;

	if (get_document(answer, ask, &document, &say->err) < 0)
		return fail(say);
	fd = given_document(answer->given, document.text, document.size, &say->err) < 0
		     ? fail(say)
		     : put_in_file(&document, say);
	document_clear(&document);
	return fd;
}

/* "index.json", "oci-layout", or a blob by its digest: nothing else is in a layout. */
static bool is_member(const char *path)
{
	struct digest digest;
	char text[DIGEST_TEXT_SIZE];
	const char *slash;

	if (strcmp(path, "oci-layout") == 0 || strcmp(path, "index.json") == 0)
		return true;
	if (strncmp(path, "blobs/", 6) != 0 || !(slash = strchr(path + 6, '/')))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s:%s", (int)(slash - path - 6), path + 6, slash + 1);
	return digest_take(&digest, text) == 0;
}

static int give_member(const struct answer *answer, const char *path, struct line_answer *say)
{
	const struct answer_about *about = &answer->about;
	auto_fd fd = -1;
	struct stat stat;

	if (about->folder < 0 || !is_member(path)) {
		(void)err_set(&say->err, "'%s' is no file of an OCI layout", path);
		return fail(say);
	}
	fd = path_open_in(about->folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		(void)err_sys(&say->err, "cannot open '%s' of '%s'", path, about->name);
		return fail(say);
	}
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		(void)err_set(&say->err, "'%s' of '%s' is no regular file", path, about->name);
		return fail(say);
	}
	say->size = (uint64_t)stat.st_size;
	return take_fd(&fd);
}

static bool close_blob(struct channel *channel, enum supply_verdict verdict)
{
	bool again = supply_blob_close(take_ptr(&channel->blob), verdict);

	own_close(&channel->pipe);
	channel->pipe = -1;
	return again;
}

static enum supply_verdict verdict_of(uint32_t said)
{
	return said == LINE_RIGHT   ? SUPPLY_RIGHT
	       : said == LINE_WRONG ? SUPPLY_WRONG
				    : SUPPLY_UNKNOWN;
}

/* Returns the end of a pipe, or a copy of the cache's descriptor. */
static int give_blob(struct channel *channel, const struct line_ask *ask, struct line_answer *say)
{
	struct supply *supply = channel->answer->supply;
	struct digest digest;
	int ends[2];

	(void)close_blob(channel, SUPPLY_UNKNOWN);
	if (!supply || digest_take(&digest, ask->digest.text) < 0) {
		(void)err_set(&say->err, "a blob that is none was asked for");
		return fail(say);
	}
	if (given_blob(channel->answer->given, &digest, ask->size, ask->text, &say->err) < 0 ||
	    supply_blob_open(supply, &digest, ask->size, ask->text, &channel->patience,
			     &channel->blob, &say->err) < 0)
		return fail(say);
	if (supply_blob_file(channel->blob) >= 0) {
		ends[0] = fcntl(supply_blob_file(channel->blob), F_DUPFD_CLOEXEC, 0);
		if (ends[0] >= 0)
			return ends[0];
		(void)err_sys(&say->err, "cannot read %s", ask->text);
		return fail(say);
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)err_sys(&say->err, "cannot fetch %s", ask->text);
		return fail(say);
	}
	/* Fewer wake-ups, if the user's pipes may still grow. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	channel->pipe = ends[1];
	say->flag = true;
	return ends[0];
}

/* Returns the bytes of a whole piece, or of as much of it as has come in time; 0 at the end, or -1.
 */
static ssize_t fill_piece(struct supply_blob *blob, char *piece, struct err *err)
{
	long long end = wait_clock_ms() + HOLD_MS;
	size_t done = 0;
	ssize_t n;

	do {
		n = supply_blob_read(blob, piece + done, PIECE_SIZE - done, err);
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < PIECE_SIZE && wait_clock_ms() < end &&
		 supply_blob_has_more(blob, end - wait_clock_ms()));
	return n < 0 ? -1 : (ssize_t)done;
}

/* Until the blob ends, or nobody wants it any more; in large pieces, as each wakes a process. */
static void move_bytes(struct channel *channel)
{
	auto_free char *piece = malloc(PIECE_SIZE);
	struct line_answer *end = &channel->end;
	ssize_t n = -1;

	*end = (struct line_answer){0};
	if (!piece)
		(void)err_sys(&end->err, "cannot fetch a layer");
	while (piece && (n = fill_piece(channel->blob, piece, &end->err)) > 0 &&
	       file_write_all(channel->pipe, piece, (size_t)n) == 0)
		;
	if (n < 0)
		end->result = -1;
	own_close(&channel->pipe);
	channel->pipe = -1;
}

/* Who waits for a question, or for the network, ends. */
static void stop(struct answer *answer, bool to_the_end)
{
	atomic_store(&answer->stopped, true);
	for (size_t i = 1; i < answer->count; i++)
		if (answer->channel[i].socket >= 0)
			(void)shutdown(answer->channel[i].socket, SHUT_RDWR);
	for (size_t i = 1; to_the_end && i < answer->count; i++) {
		struct channel *channel = &answer->channel[i];

		if (channel->runs)
			(void)pthread_join(channel->thread, NULL);
		channel->runs = false;
	}
}

static void *serve_reader(void *arg);

/* No more of them than are needed: a user may have few processes, of which threads are some. */
static int start_reader(struct answer *answer, uint32_t number, struct line_answer *say)
{
	struct channel *channel =
		number > 0 && number < answer->count ? &answer->channel[number] : NULL;

	if (!channel || channel->runs || !answer->supply || atomic_load(&answer->stopped)) {
		(void)err_set(&say->err, "a reader that is none was asked for");
		return fail(say);
	}
	channel->runs = pthread_create(&channel->thread, NULL, serve_reader, channel) == 0;
	if (channel->runs)
		return -1;
	(void)err_set(&say->err, "cannot start a thread; there may be too many processes");
	return fail(say);
}

/*
 * What is to come, and whether there is room: an image is about as large as its compressed layers,
 * and so is what the cache keeps of them. What is free may be less by a quota, or be enough all the
 * same: it is told, and no more.
 */
static void tell_room(const struct answer_about *about, uint64_t size)
{
	char needed[SIZE_TEXT_SIZE], left[SIZE_TEXT_SIZE];
	struct statvfs file_system;
	uint64_t free_size;

	if (about->room < 0 || fstatvfs(about->room, &file_system) < 0)
		return;
	free_size = (uint64_t)file_system.f_bavail * file_system.f_frsize;
	size_print(size, needed);
	size_print(free_size, left);
	if (free_size < size)
		log_warning("the layers of '%s' are %s, and only %s are free for the image",
			    about->name, needed, left);
	else if (size >= ROOM_TOLD)
		log_note("the layers of '%s' are %s; %s are free for the image", about->name,
			 needed, left);
	else
		log_info("the layers of '%s' are %s; %s are free for the image", about->name,
			 needed, left);
}

static int answer_question(struct channel *channel, const struct line_ask *ask,
			   struct line_answer *say)
{
	struct answer *answer = channel->answer;
	bool first = channel == &answer->channel[0];

	if (first && (ask->what == LINE_TOP || ask->what == LINE_DOCUMENT))
		return give_document(answer, ask, say);
	if (first && ask->what == LINE_MEMBER)
		return give_member(answer, ask->text, say);
	if (first && ask->what == LINE_NAME && answer->supply) {
		supply_name(answer->supply, ask->flag);
		tell_room(&answer->about, ask->size);
		return -1;
	}
	if (first && ask->what == LINE_READER)
		return start_reader(answer, ask->flag, say);
	if (first && ask->what == LINE_STOP) {
		stop(answer, ask->flag);
		return -1;
	}
	if (!first && ask->what == LINE_BLOB)
		return give_blob(channel, ask, say);
	if (!first && ask->what == LINE_BLOB_END) {
		*say = channel->end;
		return -1;
	}
	if (!first && ask->what == LINE_BLOB_CLOSE) {
		say->flag = close_blob(channel, verdict_of(ask->flag));
		return -1;
	}
	(void)err_set(&say->err, "a question that makes no sense");
	return fail(say);
}

/* Returns false when there will be no more. */
static bool serve(struct channel *channel)
{
	struct line_ask ask;
	struct line_answer say = {0};
	struct pass pass = {.data = &say, .size = sizeof(say)};
	ssize_t got;
	auto_fd fd = -1;

	/* By recv: what comes along of descriptors is not taken. */
	do
		got = recv(channel->socket, &ask, sizeof(ask), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(ask))
		return false;
	ask.digest.text[sizeof(ask.digest.text) - 1] = 0;
	ask.text[sizeof(ask.text) - 1] = 0;
	text_tame(ask.text);
	fd = answer_question(channel, &ask, &say);
	pass.fd[0] = fd;
	pass.count = fd >= 0;
	if (pass_send(channel->socket, &pass, 0) < 0)
		return false;
	own_close(&fd);
	fd = -1;
	if (channel->pipe >= 0)
		move_bytes(channel);
	return true;
}

static void *serve_reader(void *arg)
{
	struct channel *channel = arg;

	while (serve(channel))
		;
	(void)close_blob(channel, SUPPLY_UNKNOWN);
	/* Whoever asks on is told that nobody answers. */
	(void)shutdown(channel->socket, SHUT_RDWR);
	return NULL;
}

bool answer_one(struct answer *answer)
{
	if (serve(&answer->channel[0]))
		return true;
	(void)shutdown(answer->channel[0].socket, SHUT_RDWR);
	return false;
}

void answer_begin(struct answer *answer, int theirs[LINE_SOCKETS])
{
	const struct answer_about *about = &answer->about;

	close_all(theirs);
	if (!about->reference)
		return;
	answer->given = given_new(about->conf->max_size);
	if (!answer->given) {
		(void)err_sys(&answer->failure, "cannot fetch '%s'", about->name);
		return;
	}
	(void)supply_open(about->reference, about->name, about->conf, about->cache, about->max,
			  &answer->supply, &answer->failure);
}

void answer_end(struct answer *answer)
{
	if (!answer)
		return;
	stop(answer, true);
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		own_close(&answer->channel[i].socket);
	supply_close(answer->supply);
	given_free(answer->given);
	free(answer);
}
