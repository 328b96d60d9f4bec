/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * answering.h - builds, as far as the end of the line outside of the cage has them, for its tests.
 *
 * A registry gives, by the name of the repository, a manifest that names two blobs, and these. A
 * thread does what the main one of a build does; the test is the process in the cage.
 */
#ifndef FIRN_TESTS_UNIT_BUILDER_ANSWERING_H
#define FIRN_TESTS_UNIT_BUILDER_ANSWERING_H

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
static struct digest blob_digest, small_digest, secret_digest;
static char manifest[500]; /* names the first two of them */
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
	if (strstr(request, "/manifests/"))
		return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
					strlen(manifest), manifest);
	if (strstr(request, small_digest.text) && strstr(request, "/gives/"))
		return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
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
		if (wait_readable(answer_socket(answer), 20) > 0 && !answer_one(answer))
			break;
	return NULL;
}

/* An image of the repository @name; or, NULL, the layout @layout. */
static void begin(const char *name, int layout, const struct reference **out)
{
	struct cache_place cache = {.path = place};
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

/* The document that names the others. */
static void read_top(void)
{
	struct ask_document top;
	struct err err;

	if (ask_top(asker, 1000, &top, &err) < 0)
		exit(2);
	free(top.text);
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
	if (name)
		read_top();
	work();
	end(reference);
}

/* The registry, and an empty cache. */
static void set_up(void)
{
	struct err err;

	memset(bytes, 'b', BLOB_SIZE);
	conf = conf_new();
	if (!conf || !mkdtemp(folder) || digest_of(bytes, BLOB_SIZE, &blob_digest, &err) < 0 ||
	    digest_of("{}", 2, &small_digest, &err) < 0 ||
	    digest_of("secret", 6, &secret_digest, &err) < 0)
		exit(2);
	(void)snprintf(manifest, sizeof(manifest), "[\"%s\", \"%s\"]", blob_digest.text,
		       small_digest.text);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("HOME", folder, 1);
	(void)unsetenv("REGISTRY_AUTH_FILE");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)snprintf(place, sizeof(place), "%s/cache", folder);
	if (!small_server_start(answer_http))
		exit(2);
}

static int tear_down(void)
{
	conf_free(conf);
	folder_remove(folder);
	return done_testing();
}

#endif
