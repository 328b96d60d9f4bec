/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* A repository: what is checked of its answers, when it logs in, and where a blob goes on. */
#include "builder/fetch/registry.h"

#include "tests/unit/builder/small_server.h"
#include "tests/unit/tap.h"

#define DOCUMENT "{\"schemaVersion\": 2}"
#define BLOB "0123456789abcdefghij"

enum { THREADS = 6 };

static struct conf *conf;

static char *say_blob(const char *request)
{
	const char *range = strstr(request, "Range: bytes=");
	size_t from = range ? strtoul(range + 13, NULL, 10) : 0;

	if (!range) /* cut off in the middle */
		return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.7s",
					strlen(BLOB), BLOB);
	return small_server_say("HTTP/1.1 206 OK\r\nContent-Range: bytes "
				"%zu-19/20\r\nContent-Length: %zu\r\n\r\n%s",
				from, strlen(BLOB) - from, BLOB + from);
}

static char *answer(int number, const char *request)
{
	if (strstr(request, "/token"))
		return small_server_say(
			"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"token\": \"abc\"}");
	if (number == 1)
		return small_server_say("HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer "
					"realm=\"http://127.0.0.1:%d/token\"\r\n"
					"Content-Length: 0\r\n\r\n",
					small_server.port[1]);
	if (strstr(request, "/v2/away/"))
		return small_server_say("HTTP/1.1 307 x\r\nLocation: "
					"http://127.0.0.1:%d/x\r\nContent-Length: 0\r\n\r\n",
					small_server.port[1]);
	if (strstr(request, "/v2/locked/") && !strstr(request, "Authorization: Bearer abc"))
		return small_server_say("HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer "
					"realm=\"http://127.0.0.1:%d/token\"\r\n"
					"Content-Length: 0\r\n\r\n",
					small_server.port[0]);
	if (strstr(request, "/blobs/"))
		return say_blob(request);
	return small_server_say(
		"HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(DOCUMENT), DOCUMENT);
}

static size_t count(const char *log, const char *what)
{
	size_t times = 0;

	for (const char *at = log; (at = strstr(at, what)); at++)
		times++;
	return times;
}

static int open_repository(const char *name, struct reference **reference, struct registry **out)
{
	char text[100];
	struct err err;

	(void)snprintf(text, sizeof(text), "127.0.0.1:%d/%s:1", small_server.port[0], name);
	return reference_parse(text, NULL, reference, &err) < 0 ||
			       registry_open(*reference, conf, out, &err) < 0
		       ? -1
		       : 0;
}

static int get(struct registry *registry, const char *what, struct document *document,
	       struct err *err)
{
	return registry_manifest(registry, what, 1000, NULL, document, err);
}

static void a_manifest_is_what_was_asked_for(void)
{
	auto_reference *reference = NULL;
	auto_registry *registry = NULL;
	struct document document = {0};
	struct digest digest;
	struct err err;
	char other[DIGEST_TEXT_SIZE], wide[DIGEST_TEXT_SIZE];

	(void)snprintf(other, sizeof(other), "sha256:%064d", 1);
	(void)snprintf(wide, sizeof(wide), "sha512:%0128d", 1);
	(void)digest_of(DOCUMENT, strlen(DOCUMENT), &digest, &err);
	if (open_repository("plain", &reference, &registry) < 0)
		return;
	ok(get(registry, "1", &document, &err) == 0 && strcmp(document.text, DOCUMENT) == 0 &&
	   strcmp(document.media_type, "a/b") == 0, "by a tag");
	ok(digest_is(&document.digest, &digest), "with its digest");
	document_clear(&document);
	ok(get(registry, digest.text, &document, &err) == 0, "by its digest");
	document_clear(&document);
	ok(get(registry, other, &document, &err) == -1 && strstr(err.text, "does not match"),
	   "not by another");
	ok(get(registry, wide, &document, &err) == -1 && strstr(err.text, "does not match"),
	   "nor by another sha512");
	ok(!strstr(small_server_log(), "Authorization"), "and nobody logs in where nobody asks");
}

static void a_stranger_is_not_answered(void)
{
	auto_reference *reference = NULL;
	auto_registry *registry = NULL;
	struct document document = {0};
	struct err err;
	const char *log;

	if (open_repository("away", &reference, &registry) < 0)
		return;
	ok(get(registry, "1", &document, &err) == -1 && strstr(err.text, "no credentials go there"),
	   "a 401 of who was only redirected to is final");
	log = small_server_log();
	ok(count(log, "/token") == 0 && count(log, "server 1:") == 1,
	   "its token server is not asked, nor it again");
}

static void *get_one(void *arg)
{
	struct document document = {0};
	struct err err;
	int result = get(arg, "1", &document, &err);

	document_clear(&document);
	return result == 0 ? arg : NULL;
}

static void many_threads_log_in_once(void)
{
	auto_reference *reference = NULL;
	auto_registry *registry = NULL;
	pthread_t thread[THREADS];
	size_t good = 0;
	void *result;

	if (open_repository("locked", &reference, &registry) < 0)
		return;
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_create(&thread[i], NULL, get_one, registry);
	for (size_t i = 0; i < THREADS; i++) {
		(void)pthread_join(thread[i], &result);
		good += result != NULL;
	}
	ok(good == THREADS, "all of several threads get their answer");
	ok(count(small_server_log(), "/token") == 1, "by one login");
}

static void a_blob_goes_on_where_it_broke_off(void)
{
	auto_reference *reference = NULL;
	auto_registry *registry = NULL;
	struct registry_blob *blob = NULL;
	struct digest digest;
	struct err err;
	char got[100] = "";
	size_t used = 0;
	ssize_t n;

	(void)digest_of(BLOB, strlen(BLOB), &digest, &err);
	if (open_repository("plain", &reference, &registry) < 0 ||
	    registry_blob_open(registry, &digest, strlen(BLOB), 0, NULL, &blob, &err) < 0)
		return;
	while ((n = registry_blob_read(blob, got + used, sizeof(got) - 1 - used, &err)) > 0)
		used += (size_t)n;
	ok(n == 0 && strcmp(got, BLOB) == 0, "a blob that was cut off comes whole");
	ok(strstr(small_server_log(), "Range: bytes=7-"), "the rest alone is asked for");
	registry_blob_close(blob);
}

int main(void)
{
	conf = conf_new();
	(void)setenv("HOME", "/nonexistent", 1);
	(void)unsetenv("REGISTRY_AUTH_FILE");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
	if (!conf || !small_server_start(answer))
		return 1;
	a_manifest_is_what_was_asked_for();
	a_stranger_is_not_answered();
	many_threads_log_in_once();
	a_blob_goes_on_where_it_broke_off();
	conf_free(conf);
	return done_testing();
}
