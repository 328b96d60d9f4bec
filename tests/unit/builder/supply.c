/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What a process in the cage that lies about blobs can cost: it is never believed, and bounded. */
#include "builder/across/answer.h"
#include "builder/across/ask.h"

#include "tests/unit/builder/small_server.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define RIGHT "0123456789abcdefghij"
#define WRONG "0123456789abcdefghiJ"

static char folder[] = "/tmp/firn-supply.XXXXXX", blob_path[300], part_path[300];
static struct digest digest; /* of RIGHT */
static struct asker *asker;
static bool lies; /* the registry gives WRONG */
static bool gone; /* it gives nothing */

static char *answer_http(int number, const char *request)
{
	const char *range = strstr(request, "Range: bytes=");
	size_t from = range ? strtoul(range + 13, NULL, 10) : 0;

	(void)number;
	if (strstr(request, "/manifests/"))
		return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
					strlen(digest.text), digest.text);
	if (gone)
		return small_server_say("HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n");
	if (range)
		return small_server_say("HTTP/1.1 206 OK\r\nContent-Range: bytes %zu-19/20\r\n"
					"Content-Length: %zu\r\n\r\n%s",
					from, strlen(RIGHT) - from, RIGHT + from);
	return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(RIGHT),
				lies ? WRONG : RIGHT);
}

static size_t fetched(void)
{
	size_t times = 0;

	for (const char *at = small_server_log(); (at = strstr(at, "GET /v2/")); at++)
		times++;
	return times;
}

/* Ask for the blob, of @size bytes, read it, and say @verdict: 'a' asked to do so again, 'n' not,
 * 'f' it was not to be had. */
static char try_blob(uint64_t size, enum line_verdict verdict)
{
	struct ask_blob *blob;
	struct stream *stream;
	char bytes[100];
	struct err err;
	ssize_t n;
	int fd;

	if (ask_for_blob(asker, &digest, size, "a layer", &blob, &stream, &fd, &err) < 0)
		return 'f';
	do
		n = stream->read(stream, bytes, sizeof(bytes), &err);
	while (n > 0);
	stream_close(stream);
	return ask_blob_close(blob, verdict, false) ? 'a' : n < 0 ? 'f' : 'n';
}

static void put_in(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(2);
}

static void put(const char *text)
{
	put_in(blob_path, text);
}

static bool holds(const char *text)
{
	char bytes[100] = "";
	auto_fd fd = open(blob_path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, bytes, sizeof(bytes) - 1) >= 0 && strcmp(bytes, text) == 0;
}

static bool all_are(char wanted, uint64_t size, enum line_verdict verdict, int times)
{
	bool all = true;

	for (int i = 0; i < times; i++)
		all &= try_blob(size, verdict) == wanted;
	return all;
}

static void *answer_first(void *arg)
{
	while (answer_one(arg))
		;
	return NULL;
}

/* Get the document that names the blob. */
static void read_top(void)
{
	struct ask_document top;
	struct err err;

	if (ask_top(asker, 1000, &top, &err) < 0)
		exit(2);
	free(top.text);
}

/* One build with a cache at @place or none (NULL), whose inside does @work. */
static void build(const char *place, void (*work)(void))
{
	struct cache_place cache = {.path = (char *)place};
	struct answer_about about = {.folder = -1, .name = "an image", .max = 1000};
	int theirs[LINE_SOCKETS], mine[LINE_SOCKETS];
	struct reference *reference = NULL;
	struct answer *answer;
	pthread_t thread;
	struct conf *conf = conf_new();
	struct err err;
	char text[100];

	(void)snprintf(text, sizeof(text), "127.0.0.1:%d/a:1", small_server.port[0]);
	if (!conf || reference_parse(text, NULL, &reference, &err) < 0)
		exit(2);
	about.reference = reference;
	about.conf = conf;
	about.cache = place ? &cache : NULL;
	if (answer_new(&about, &answer, theirs, &err) < 0)
		exit(2);
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		mine[i] = fcntl(theirs[i], F_DUPFD_CLOEXEC, 0);
	answer_begin(answer, theirs);
	if (ask_new(mine, &asker, &err) < 0)
		exit(2);
	if (pthread_create(&thread, NULL, answer_first, answer) != 0)
		exit(2);
	read_top();
	(void)fetched();
	work();
	ask_free(asker);
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		(void)close(mine[i]);
	(void)pthread_join(thread, NULL);
	answer_end(answer);
	reference_free(reference);
	conf_free(conf);
}

static void a_right_blob_stays(void)
{
	ok(try_blob(strlen(RIGHT), LINE_RIGHT) == 'n' && fetched() == 1 && holds(RIGHT),
	   "a blob comes into the cache");
	ok(all_are('n', strlen(RIGHT), LINE_WRONG, 20) && fetched() == 0 && holds(RIGHT),
	   "20 lies that it is wrong there cost no download, and not the blob");
	(void)all_are('f', strlen(RIGHT) + 1, LINE_WRONG, 3);
	ok(holds(RIGHT), "nor does another size that is asked for");
	ok(try_blob(strlen(RIGHT), 77) == 'n' && holds(RIGHT), "nor a verdict that is none");
}

static void a_damaged_one_is_dropped_once(void)
{
	put(WRONG);
	ok(try_blob(strlen(RIGHT), LINE_LEFT) == 'n' && holds(WRONG),
	   "one of which nothing is said stays as it is");
	ok(try_blob(strlen(RIGHT), LINE_WRONG) == 'a' && fetched() == 0,
	   "one that is damaged is worth another try");
	ok(try_blob(strlen(RIGHT), LINE_RIGHT) == 'n' && fetched() == 1 && holds(RIGHT),
	   "which fetches it");
	put(WRONG);
	ok(try_blob(strlen(RIGHT), LINE_WRONG) == 'n' && access(blob_path, F_OK) < 0,
	   "a second time in one build it is dropped alone");
	ok(all_are('f', strlen(RIGHT), LINE_WRONG, 20) && fetched() == 0,
	   "and is not to be had any more");
}

static void a_short_one_is_fetched(void)
{
	put("0123");
	ok(try_blob(strlen(RIGHT), LINE_RIGHT) == 'n' && fetched() == 1 && holds(RIGHT),
	   "one that is too short is fetched at once");
}

/* What a build that was ended left is not summed up before all of it is there. */
static void a_damaged_part_is_fetched_anew(void)
{
	(void)unlink(blob_path);
	put_in(part_path, "x12345");
	ok(try_blob(strlen(RIGHT), LINE_WRONG) == 'a' && access(part_path, F_OK) < 0,
	   "a damaged part of a download is dropped");
	(void)fetched();
	ok(try_blob(strlen(RIGHT), LINE_RIGHT) == 'n' && fetched() == 1 && holds(RIGHT),
	   "and all of it is fetched");
}

static void a_part_whose_rest_does_not_come_stays(void)
{
	(void)unlink(blob_path);
	put_in(part_path, "01234");
	gone = true;
	ok(try_blob(strlen(RIGHT), LINE_WRONG) == 'f' && access(part_path, F_OK) == 0,
	   "a part whose rest cannot be had stays");
	gone = false;
	ok(try_blob(strlen(RIGHT), LINE_RIGHT) == 'n' && holds(RIGHT), "and is gone on with");
}

static void a_right_download_is_kept(void)
{
	(void)unlink(blob_path);
	ok(all_are('n', strlen(RIGHT), LINE_WRONG, 20) && fetched() == 1 && holds(RIGHT),
	   "a download that is called wrong, and is not, is kept");
}

static void a_wrong_download_is_tried_twice(void)
{
	lies = true;
	(void)unlink(blob_path);
	ok(all_are('f', strlen(RIGHT), LINE_WRONG, 2) && access(blob_path, F_OK) < 0,
	   "a wrong download is an error, and not kept");
	ok(all_are('f', strlen(RIGHT), LINE_WRONG, 20) && fetched() == 2,
	   "and comes twice at most");
}

/* The registry, the image and who reads it, all of one mind. */
static void a_wrong_download_called_right_is_no_way_around(void)
{
	for (int i = 0; i < 20; i++) {
		(void)try_blob(strlen(RIGHT), LINE_RIGHT);
		(void)try_blob(strlen(RIGHT), LINE_WRONG);
	}
	ok(fetched() == 2 && access(blob_path, F_OK) < 0, "nor more often with other words");
}

static void without_a_cache(void)
{
	ok(all_are('f', strlen(RIGHT), LINE_WRONG, 2) &&
		   all_are('f', strlen(RIGHT), LINE_WRONG, 20) && fetched() == 2,
	   "without a cache, too");
}

static int remove_one(const char *name, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat, (void)type, (void)at;
	return remove(name);
}

int main(void)
{
	char place[100];
	struct err err;

	if (!mkdtemp(folder) || digest_of(RIGHT, strlen(RIGHT), &digest, &err) < 0)
		return 2;
	(void)setenv("HOME", folder, 1);
	(void)unsetenv("REGISTRY_AUTH_FILE");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)snprintf(place, sizeof(place), "%s/cache", folder);
	(void)snprintf(blob_path, sizeof(blob_path), "%s/blobs/sha256/%s", place,
		       digest_hex(&digest));
	(void)snprintf(part_path, sizeof(part_path), "%s/ingest/%s.part", place,
		       digest_hex(&digest));
	if (!small_server_start(answer_http))
		return 2;
	build(place, a_right_blob_stays);
	build(place, a_damaged_one_is_dropped_once);
	build(place, a_short_one_is_fetched);
	build(place, a_damaged_part_is_fetched_anew);
	build(place, a_part_whose_rest_does_not_come_stays);
	build(place, a_right_download_is_kept);
	build(place, a_wrong_download_is_tried_twice);
	build(place, a_wrong_download_called_right_is_no_way_around);
	build(NULL, without_a_cache);
	(void)nftw(folder, remove_one, 10, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}
