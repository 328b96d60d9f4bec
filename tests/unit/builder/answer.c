/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The line's end outside of the cage, asked by somebody who has taken over the other one. */
#include "tests/unit/builder/answering.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* One question on the socket @channel, as nobody asks who is not taken over. The result, and the
 * descriptor that came with it, or -1; -2: there was no answer. */
static int ask_raw(size_t channel, const void *question, size_t size, struct line_answer *say,
		   int *fd)
{
	struct pass out = {.data = question, .size = size}, in = {0};

	*say = (struct line_answer){0};
	*fd = -1;
	if (pass_send(mine[channel], &out, 0) < 0 || wait_readable(mine[channel], SOON_MS) <= 0 ||
	    pass_receive(mine[channel], say, sizeof(*say), &in, 0) != sizeof(*say))
		return -2;
	*fd = in.count > 0 ? in.fd[0] : -1;
	return say->result;
}

static struct line_ask about(enum line_question what, const struct digest *digest, uint64_t size)
{
	struct line_ask ask = {.what = what, .size = size, .text = "a layer"};

	if (digest)
		ask.digest = *digest;
	return ask;
}

/* Each reader is told of once. */
static void start_readers(void)
{
	struct line_ask ask = about(LINE_READER, NULL, 0);
	struct line_answer say;
	int fd, again = 0, others = 0;

	for (ask.flag = 1; ask.flag < LINE_SOCKETS; ask.flag++)
		if (ask_raw(0, &ask, sizeof(ask), &say, &fd) != 0)
			exit(2);
	for (ask.flag = 1; ask.flag < LINE_SOCKETS; ask.flag++)
		again += ask_raw(0, &ask, sizeof(ask), &say, &fd) == 0;
	ask.flag = 0;
	others += ask_raw(0, &ask, sizeof(ask), &say, &fd) == 0;
	ask.flag = LINE_SOCKETS;
	others += ask_raw(0, &ask, sizeof(ask), &say, &fd) == 0;
	ask.flag = UINT32_MAX;
	others += ask_raw(0, &ask, sizeof(ask), &say, &fd) == 0;
	ok(again == 0 && others == 0, "a reader is started once (%d, %d)", again, others);
}

/* Ask, and throw away what comes. */
static int try(size_t channel, enum line_question what, const struct digest *digest, uint64_t size)
{
	struct line_ask ask = about(what, digest, size);
	struct line_answer say;
	int fd, result = ask_raw(channel, &ask, sizeof(ask), &say, &fd);

	own_close(&fd);
	return result;
}

/* Put the bytes of another repository into the cache. */
static void keep_secret(void)
{
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", place, digest_hex(&secret_digest));
	file = fopen(path, "we");
	if (!file || fputs("secret", file) < 0 || fclose(file) != 0)
		exit(2);
}

static void what_is_not_named_is_not_given(void)
{
	struct digest told;
	char path[300];

	start_readers();
	keep_secret();
	(void)small_server_log();
	(void)snprintf(told.text, sizeof(told.text), "sha256:%064d", 77);
	ok(try(1, LINE_BLOB, &secret_digest, 6) == -1, "another repository's blob in the cache");
	ok(try(0, LINE_DOCUMENT, &secret_digest, 6) == -1, "nor as a document");
	ok(try(1, LINE_BLOB, &secret_digest, 1) == -1, "nor by another size");
	ok(try(1, LINE_BLOB, &told, 6) == -1 && try(0, LINE_DOCUMENT, &told, 6) == -1 &&
		   !*small_server_log(),
	   "no digest goes to the registry that did not come from there");
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", place, digest_hex(&secret_digest));
	ok(access(path, F_OK) == 0, "and all of it is left as it is");
	ok(try(0, LINE_DOCUMENT, &small_digest, 2) == 0, "a document that is named comes");
	ok(try(1, LINE_BLOB, &blob_digest, BLOB_SIZE) == 0, "so does a blob");
}

/* Ask for a blob of the cache where one descriptor more is one too many. */
static int try_without_room(struct line_answer *say)
{
	struct line_ask ask = about(LINE_BLOB, &small_digest, 2);
	struct rlimit limit, less;
	int fd, result, next = dup(STDIN_FILENO);

	if (next < 0 || close(next) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		exit(2);
	less = (struct rlimit){(rlim_t)next + 1, limit.rlim_max};
	(void)setrlimit(RLIMIT_NOFILE, &less);
	result = ask_raw(1, &ask, sizeof(ask), say, &fd);
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	own_close(&fd);
	return result;
}

/* What there is and cannot be given is an error with its cause. */
static void what_fails_is_told(void)
{
	struct line_answer say = {0};
	int result = 0;

	start_readers();
	ok(try(0, LINE_DOCUMENT, &small_digest, 2) == 0, "a document is in the cache");
	/* The registry's threads still close what they have. */
	for (int i = 0; i < 50 && result != -1; i++) {
		(void)try(1, LINE_BLOB_CLOSE, NULL, 0);
		result = try_without_room(&say);
		(void)usleep(20000);
	}
	ok(result == -1 && say.err.code == EMFILE, "a blob whose file cannot be given is none (%s)",
	   say.err.text);
}

static void nothing_is_without_end(void)
{
	uint64_t size = conf->max_size + conf->max_size / 2;
	int given = 0;

	start_readers();
	ok(try(1, LINE_BLOB, &blob_digest, size) == -1 &&
		   try(1, LINE_BLOB, &blob_digest, UINT64_MAX) == -1,
	   "no blob is larger than an image may be");
	while (given < 100 && try(1, LINE_BLOB, &blob_digest, conf->max_size) == 0)
		given++;
	ok(given < 10, "nor are many together (%d)", given);
	for (given = 0; given < 100 && try(0, LINE_DOCUMENT, &small_digest, 2) == 0;)
		given++;
	ok(given > 5 && given < 50, "nor are there documents without end (%d)", given);
}

/* The registry, the image and who reads it are of one mind: it has other bytes. */
static void a_lie_is_not_kept(void)
{
	struct line_ask ask = about(LINE_BLOB, &small_digest, BLOB_SIZE);
	struct line_answer say;
	char path[300], all[BLOB_SIZE];
	int fd;

	start_readers();
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", place, digest_hex(&small_digest));
	(void)unlink(path);
	ok(ask_raw(1, &ask, sizeof(ask), &say, &fd) == 0 && fd >= 0,
	   "a registry gives other bytes");
	while (fd >= 0 && read(fd, all, sizeof(all)) > 0)
		;
	own_close(&fd);
	ask = about(LINE_BLOB_END, NULL, 0);
	ok(ask_raw(1, &ask, sizeof(ask), &say, &fd) == -1 && strstr(say.err.text, "digest"),
	   "that is told (%s)", say.err.text);
	ask = about(LINE_BLOB_CLOSE, NULL, 0);
	ask.flag = LINE_RIGHT;
	(void)ask_raw(1, &ask, sizeof(ask), &say, &fd);
	ok(access(path, F_OK) < 0, "and they are not kept, whatever is said of them");
}

static void questions_have_their_place(void)
{
	struct line_ask ask = about(LINE_TOP, NULL, 0);
	struct line_answer say;
	char longer[sizeof(ask) + 1] = {0};
	int fd, refused = 0;

	start_readers();
	refused += try(1, LINE_TOP, NULL, 0) == -1;
	refused += try(1, LINE_DOCUMENT, &small_digest, 2) == -1;
	refused += try(1, LINE_NAME, NULL, 0) == -1;
	refused += try(1, LINE_MEMBER, NULL, 0) == -1;
	refused += try(1, LINE_STOP, NULL, 0) == -1;
	refused += try(0, LINE_BLOB, &blob_digest, BLOB_SIZE) == -1;
	refused += try(0, LINE_BLOB_END, NULL, 0) == -1;
	refused += try(0, LINE_BLOB_CLOSE, NULL, 0) == -1;
	refused += try(0, (enum line_question)99, NULL, 0) == -1;
	refused += try(0, LINE_MEMBER, NULL, 0) == -1; /* there is no layout */
	ok(refused == 10, "on another's socket no question makes sense (%d)", refused);
	ok(try(1, LINE_BLOB_END, NULL, 0) == 0 && try(1, LINE_BLOB_CLOSE, NULL, 0) == 0,
	   "an end without a begin is none");
	ok(try(2, LINE_BLOB, &blob_digest, BLOB_SIZE) == 0 &&
		   try(2, LINE_BLOB, &blob_digest, BLOB_SIZE) == 0 &&
		   try(2, LINE_BLOB_CLOSE, NULL, 0) == 0,
	   "of two blobs on one socket the first is left");
	ok(ask_raw(3, &ask, sizeof(ask) - 1, &say, &fd) == -2 &&
		   try(3, LINE_BLOB_END, NULL, 0) == -2,
	   "what is too short ends the talk on its socket");
	ok(ask_raw(4, "", 1, &say, &fd) == -2, "so does a byte");
	/* A message that is longer is cut, and is a question. */
	ok(ask_raw(5, longer, sizeof(longer), &say, &fd) == -1,
	   "what is too long is not read over");
	(void)shutdown(mine[6], SHUT_RDWR);
	ok(try(1, LINE_BLOB_END, NULL, 0) == 0, "all others go on");
}

/* @path is the whole field, NUL or not. */
static int try_member(const char *path, size_t size)
{
	struct line_ask ask = {.what = LINE_MEMBER};
	struct line_answer say;
	int fd, result;

	memcpy(ask.text, path, size < sizeof(ask.text) ? size : sizeof(ask.text));
	result = ask_raw(0, &ask, sizeof(ask), &say, &fd);
	own_close(&fd);
	return result;
}

static void a_layout_has_few_files(void)
{
	static const char *const others[] = {
		"",
		"/",
		"..",
		"secret",
		"index.json/",
		"./index.json",
		"../index.json",
		"/etc/passwd",
		"blobs",
		"blobs/",
		"blobs/sha256",
		"blobs/sha256/",
		"blobs/sha256/../../secret",
		"blobs/../secret",
		"blobs/sha256/x",
		"blobs//etc/passwd",
		"index.json\n",
	};
	char path[300], full[LINE_TEXT_SIZE];
	int refused = 0;

	for (size_t i = 0; i < COUNT_OF(others); i++)
		refused += try_member(others[i], strlen(others[i])) == -1;
	memset(full, 'x', sizeof(full));
	refused += try_member(full, sizeof(full)) == -1;
	ok(refused == COUNT_OF(others) + 1, "what is none of its files is not given (%d)", refused);
	ok(try_member("index.json", 10) == -1, "nor is a link out of it");
	ok(try_member("oci-layout", 10) == 0, "its files are");
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&blob_digest));
	ok(try_member(path, strlen(path)) == 0, "its blobs, too");
	ok(try_member("oci-layout", 10) == 0 && try(0, LINE_TOP, NULL, 0) == -1 &&
		   try(0, LINE_STOP, NULL, 0) == 0,
	   "and no registry is asked");
}

static void put(int at, const char *path)
{
	auto_fd fd = openat(at, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		exit(2);
}

static int make_layout(void)
{
	char path[300];
	int layout;

	(void)snprintf(path, sizeof(path), "%s/layout", folder);
	(void)mkdir(path, 0700);
	layout = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put(layout, "../secret");
	put(layout, "oci-layout");
	if (symlinkat("../secret", layout, "index.json") < 0 ||
	    mkdirat(layout, "blobs", 0700) < 0 || mkdirat(layout, "blobs/sha256", 0700) < 0)
		exit(2);
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&blob_digest));
	put(layout, path);
	return layout;
}

int main(void)
{
	int layout;

	set_up();
	with("gives", -1, what_is_not_named_is_not_given);
	with("gives", -1, nothing_is_without_end);
	with("lies", -1, a_lie_is_not_kept);
	with("gives", -1, what_fails_is_told);
	with("gives", -1, questions_have_their_place);
	layout = make_layout();
	with(NULL, layout, a_layout_has_few_files);
	(void)close(layout);
	return tear_down();
}
