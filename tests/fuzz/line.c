/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what a build's process outside of the cage is asked by the one in it,
 * which may be in anybody's hands. What it would fetch is made up here; the layout is a folder.
 * What must not happen, beside errors of memory: a file that is not the layout's, a blob that is
 * used by two readers or not closed, an end of a reader that waits for ever.
 */
#include "builder/across/answer.h"
#include "builder/across/board.h"
#include "lib/pass.h"
#include "lib/text.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUESTIONS_MAX = 64, BLOB_SIZE = 5, ANSWER_MS = 10000 };

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

#define TOP "[\"sha256:" HEX "\"]"

/* The side that fetches: three kinds of blobs, by the size that is asked for. */
struct supply {
	atomic_int open;
};

struct supply_blob {
	struct supply *supply;
	int file;
	size_t left;
	bool fails;
};

int supply_open(const struct reference *reference, const char *name, const struct conf *conf,
		const struct cache_place *cache, size_t max, struct supply **out, struct err *err)
{
	(void)reference, (void)name, (void)conf, (void)cache, (void)max;
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : err_set(err, "no memory");
}

void supply_close(struct supply *supply)
{
	if (supply && atomic_load(&supply->open) != 0)
		abort();
	free(supply);
}

static int made_up(struct document *out, struct err *err)
{
	*out = (struct document){.text = strdup(TOP), .size = strlen(TOP)};
	return out->text ? 0 : err_set(err, "no memory");
}

int supply_top(struct supply *supply, const struct patience *patience, struct document *out,
	       struct err *err)
{
	(void)supply, (void)patience;
	return made_up(out, err);
}

int supply_document(struct supply *supply, const struct digest *digest, uint64_t size,
		    bool is_manifest, const struct patience *patience, struct document *out,
		    struct err *err)
{
	struct digest copy;

	(void)supply, (void)is_manifest, (void)patience;
	if (digest_take(&copy, digest->text) < 0)
		abort();
	return size == 2 ? made_up(out, err) : err_set(err, "there is none");
}

void document_clear(struct document *document)
{
	free(document->text);
	document->text = NULL;
}

void supply_name(struct supply *supply, bool is_index)
{
	(void)supply, (void)is_index;
}

int supply_blob_open(struct supply *supply, const struct digest *digest, uint64_t size,
		     const char *what, const struct patience *patience, struct supply_blob **out,
		     struct err *err)
{
	struct digest copy;

	if (!patience)
		abort();
	if (digest_take(&copy, digest->text) < 0 || strlen(what) >= LINE_TEXT_SIZE)
		abort();
	for (const char *at = what; *at; at++)
		if ((unsigned char)*at < ' ')
			abort();
	if (size % 4 == 0)
		return err_set(err, "there is none");
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return err_set(err, "no memory");
	**out = (struct supply_blob){supply, -1, BLOB_SIZE, size % 4 == 1};
	if (size % 4 == 2)
		(*out)->file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	atomic_fetch_add(&supply->open, 1);
	return 0;
}

int supply_blob_file(const struct supply_blob *blob)
{
	return blob->file;
}

ssize_t supply_blob_read(struct supply_blob *blob, void *buffer, size_t size, struct err *err)
{
	if (blob->left == 0)
		return blob->fails ? err_set(err, "it is cut off") : 0;
	if (size > blob->left)
		size = blob->left;
	memset(buffer, 'x', size);
	blob->left -= size;
	return (ssize_t)size;
}

bool supply_blob_has_more(struct supply_blob *blob, long long ms)
{
	(void)ms;
	return blob->left > 1;
}

bool supply_blob_close(struct supply_blob *blob, enum supply_verdict verdict)
{
	if (!blob)
		return false;
	atomic_fetch_sub(&blob->supply->open, 1);
	own_close(&blob->file);
	free(blob);
	return verdict == SUPPLY_WRONG;
}

/* An OCI layout with a link out of it, to a file that must not come. */
static int layout;
static struct stat secret;

static void put(int folder, const char *name)
{
	auto_fd fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "hello", 5) != 5)
		abort();
}

static char path[] = "/tmp/firn-fuzz.XXXXXX";

static void remove_layout(void)
{
	(void)folder_remove(path);
}

static void make_layout(void)
{
	int above = mkdtemp(path) ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (above < 0 || mkdirat(above, "layout", 0700) < 0)
		abort();
	put(above, "secret");
	layout = openat(above, "layout", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (layout < 0 || fstatat(above, "secret", &secret, 0) < 0 ||
	    mkdirat(layout, "blobs", 0700) < 0 || mkdirat(layout, "blobs/sha256", 0700) < 0 ||
	    symlinkat("../secret", layout, "index.json") < 0)
		abort();
	put(layout, "oci-layout");
	put(layout, "blobs/sha256/" HEX);
	(void)close(above);
	(void)atexit(remove_layout);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* The bytes that are left of the input. */
struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t take(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

static void take_text(struct input *input, char *out, size_t room)
{
	size_t size = take(input);

	if (size > room)
		size = room;
	if (size > input->left)
		size = input->left;
	memcpy(out, input->at, size);
	input->at += size;
	input->left -= size;
}

static struct line_ask take_question(struct input *input)
{
	struct line_ask ask = {.what = take(input) % 11, .flag = take(input), .size = take(input)};

	if (take(input) % 4 == 0)
		take_text(input, ask.digest.text, sizeof(ask.digest.text));
	else
		(void)snprintf(ask.digest.text, sizeof(ask.digest.text), "sha256:" HEX);
	take_text(input, ask.text, sizeof(ask.text));
	return ask;
}

/* What comes is closed, but for a pipe that is to be read. */
static int look_at(const struct line_answer *answer, struct pass *in, bool kept)
{
	int fd = -1;

	if (in->count > 1 || strlen(answer->err.text) >= sizeof(answer->err.text) ||
	    (answer->result != 0 && answer->result != -1))
		abort();
	if (in->count == 1) {
		struct stat stat;

		fd = in->fd[0];
		if (fstat(fd, &stat) < 0 ||
		    (stat.st_ino == secret.st_ino && stat.st_dev == secret.st_dev))
			abort();
	}
	if (kept)
		return fd;
	own_close(&fd);
	return -1;
}

static void drain(int *pipe)
{
	char bytes[64];

	while (*pipe >= 0 && read(*pipe, bytes, sizeof(bytes)) > 0)
		;
	own_close(pipe);
	*pipe = -1;
}

/* One question at a time on each socket, as the line has it; or less than one. */
static bool ask_one(struct answer *answer, const int *socket, int *pipe, struct input *input)
{
	size_t channel = take(input) % LINE_SOCKETS;
	uint8_t how = take(input);
	struct line_ask ask = take_question(input);
	struct pass out = {.data = &ask, .size = sizeof(ask)}, in = {0};
	struct line_answer say;
	struct pollfd ready = {.fd = socket[channel], .events = POLLIN};
	int got;

	if (how % 32 == 31)
		out.size = how;
	if (ready.fd < 0)
		return true;
	own_close(&pipe[channel]); /* or it waits until that is read */
	pipe[channel] = -1;
	if (pass_send(ready.fd, &out, 0) < 0)
		return false;
	if (channel == 0)
		(void)answer_one(answer);
	do
		got = poll(&ready, 1, ANSWER_MS);
	while (got < 0 && errno == EINTR); /* the fuzzer's clock */
	if (got != 1)
		abort(); /* nobody answers */
	if (pass_receive(ready.fd, &say, sizeof(say), &in, 0) != sizeof(say))
		return false;
	pipe[channel] = look_at(&say, &in, say.flag && ask.what == LINE_BLOB);
	if (how % 2 == 0)
		drain(&pipe[channel]);
	return true;
}

/* All readers are there before they are asked. */
static void start_readers(struct answer *answer, int first)
{
	struct line_ask ask = {.what = LINE_READER};
	struct pass out = {.data = &ask, .size = sizeof(ask)}, in;
	struct line_answer say;

	for (ask.flag = 1; ask.flag < LINE_SOCKETS; ask.flag++)
		if (pass_send(first, &out, 0) < 0 || !answer_one(answer) ||
		    pass_receive(first, &say, sizeof(say), &in, 0) != sizeof(say))
			abort();
}

static void ask_all(bool of_registry, struct input *input)
{
	struct answer_about about = {.folder = of_registry ? -1 : layout, .name = "x", .max = 1000};
	static const struct conf conf = {.max_size = 100};
	int theirs[LINE_SOCKETS], mine[LINE_SOCKETS], pipe[LINE_SOCKETS];
	struct answer *answer;
	struct err err;

	about.conf = &conf;
	if (of_registry) /* it is not looked at here */
		about.reference = (const struct reference *)(const void *)&about;
	if (answer_new(&about, &answer, theirs, &err) < 0)
		abort();
	for (size_t i = 0; i < LINE_SOCKETS; i++) {
		mine[i] = theirs[i] < 0 ? -1 : fcntl(theirs[i], F_DUPFD_CLOEXEC, 0);
		pipe[i] = -1;
	}
	answer_begin(answer, theirs);
	if (of_registry)
		start_readers(answer, mine[0]);
	for (int i = 0; i < QUESTIONS_MAX && input->left > 0; i++)
		if (!ask_one(answer, mine, pipe, input))
			break;
	for (size_t i = 0; i < LINE_SOCKETS; i++) {
		own_close(&mine[i]);
		own_close(&pipe[i]);
	}
	answer_end(answer);
}

static void look_at_board(const uint8_t *data, size_t size)
{
	static struct board *board;
	char name[BOARD_NAME_SIZE];

	if (!board)
		board = board_new();
	if (!board)
		abort();
	if (size > sizeof(board->layer[0].name))
		size = sizeof(board->layer[0].name);
	memset(board->layer[0].name, 'x', sizeof(board->layer[0].name));
	memcpy(board->layer[0].name, data, size);
	board_name(board, 0, name);
	if (strnlen(name, sizeof(name)) == sizeof(name))
		abort();
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct input input = {data, size};
	uint8_t kind = take(&input);

	if (!begun)
		make_layout();
	begun = true;
	if (kind % 4 == 0)
		look_at_board(input.at, input.left);
	else
		ask_all(kind % 4 != 1, &input);
	return 0;
}
