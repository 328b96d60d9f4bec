/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The line's end outside of the cage, asked by somebody who has taken over the other one. */
#include "builder/across/answer.h"
#include "builder/across/ask.h"

#include "lib/pass.h"
#include "lib/wait.h"
#include "tests/unit/builder/small_server.h"
#include "tests/unit/folder.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { BLOB_SIZE = 1000, SOON_MS = 3000 };

static char folder[] = "/tmp/firn-answer.XXXXXX", place[100];
static char bytes[BLOB_SIZE + 1]; /* the blob, where it is given */
static struct digest blob_digest;
static struct conf *conf;

/* One build, as far as it has come. */
static struct answer *answer;
static struct asker *asker;
static int mine[LINE_SOCKETS];
static atomic_bool over;
static pthread_t main_thread;

/* What the registry does, by the name of the repository. */
static char *answer_http(int number, const char *request)
{
	(void)number;
	if (strstr(request, "/stalls/"))
		return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n\f%.10s",
					BLOB_SIZE, bytes);
	return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", BLOB_SIZE,
				bytes);
}

/* The thread that has the process in the cage for a child, but for its judgement. */
static void *answer_first(void *arg)
{
	(void)arg;
	while (!atomic_load(&over))
		if (wait_readable(answer_socket(answer), 20) > 0)
			answer_one(answer);
	return NULL;
}

/* An image of the repository @name; or, NULL, the layout @layout. */
static void begin(const char *name, int layout, const struct reference **out)
{
	struct cache_place cache = {place, 0};
	struct answer_about about = {
		.folder = layout, .name = "an image", .max = 1000, .conf = conf, .cache = &cache};
	int theirs[LINE_SOCKETS];
	struct reference *reference = NULL;
	struct err err;
	char text[100];

	(void)snprintf(text, sizeof(text), "127.0.0.1:%d/%s:1", small_server.port[0],
		       name ? name : "a");
	if (reference_parse(text, NULL, &reference, &err) < 0)
		exit(2);
	*out = reference;
	about.reference = name ? reference : NULL;
	if (answer_new(&about, &answer, theirs, &err) < 0)
		exit(2);
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		mine[i] = theirs[i] < 0 ? -1 : fcntl(theirs[i], F_DUPFD_CLOEXEC, 0);
	answer_begin(answer, theirs);
	atomic_store(&over, false);
	if (ask_new(mine, &asker, &err) < 0 ||
	    pthread_create(&main_thread, NULL, answer_first, NULL) != 0)
		exit(2);
}

static void end(const struct reference *reference)
{
	atomic_store(&over, true);
	(void)pthread_join(main_thread, NULL);
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		own_close(&mine[i]);
	answer_end(answer);
	ask_free(asker);
	reference_free((struct reference *)reference);
}

static void with(const char *name, int layout, void (*work)(void))
{
	const struct reference *reference;

	begin(name, layout, &reference);
	work();
	end(reference);
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

static void nobody_is_left(void)
{
	const struct reference *reference;
	long long start = wait_clock_ms();
	char first = 0;
	struct ask_blob *blob;

	begin("stalls", -1, &reference);
	blob = open_blob(&first);
	for (size_t i = 0; i < LINE_SOCKETS; i++) {
		own_close(&mine[i]);
		mine[i] = -1;
	}
	stream_close(stream);
	end(reference);
	ok(blob && wait_clock_ms() - start < SOON_MS, "the end of who asked ends what it asked for");
	free(blob);
}

int main(void)
{
	struct err err;

	memset(bytes, 'b', BLOB_SIZE);
	conf = conf_new();
	if (!conf || !mkdtemp(folder) || digest_of(bytes, BLOB_SIZE, &blob_digest, &err) < 0)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("HOME", folder, 1);
	(void)unsetenv("REGISTRY_AUTH_FILE");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)snprintf(place, sizeof(place), "%s/cache", folder);
	if (!small_server_start(answer_http))
		return 2;
	with("stalls", -1, what_comes_slowly_comes);
	with("stalls", -1, who_stops_is_heard);
	nobody_is_left();
	conf_free(conf);
	folder_remove(folder);
	return done_testing();
}
