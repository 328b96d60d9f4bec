/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What goes where when a server redirects, and what is tried again. */
#include "builder/fetch/http.h"

#include "tests/unit/builder/small_server.h"
#include "tests/unit/tap.h"

static struct conf *conf;

/* "/to/SERVER/STATUS": there, to /end; "/long/BYTES": to a path as long as that. */
static char *answer(int number, const char *request)
{
	int where, status, size;

	if (sscanf(request, "%*s /to/%d/%d ", &where, &status) == 2)
		return small_server_say("HTTP/1.1 %d x\r\nLocation: "
					"http://127.0.0.1:%d/end\r\nContent-Length: 0\r\n\r\n",
					status, small_server.port[where]);
	if (sscanf(request, "%*s /long/%d ", &size) == 1)
		return small_server_say(
			"HTTP/1.1 307 x\r\nLocation: /end?%0*d\r\nContent-Length: 0\r\n\r\n", size,
			1);
	if (sscanf(request, "%*s /round/%d ", &where) == 1)
		return small_server_say("HTTP/1.1 307 x\r\nLocation: "
					"http://127.0.0.1:%d/to/0/302\r\nContent-Length: 0\r\n\r\n",
					small_server.port[1]);
	if (strstr(request, " /ask "))
		return small_server_say("HTTP/1.1 401 x\r\nWWW-Authenticate: Basic "
					"realm=\"a\"\r\nContent-Length: 0\r\n\r\n");
	return small_server_say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", number);
}

/* Ask server 0 for @path; @got: the answer's body, or the error. The status, or -1. */
static long ask(const char *path, const char *form, char got[600], bool *elsewhere)
{
	auto_http_stream *stream = NULL;
	auto_free char *body = NULL;
	char url[200];
	struct http_request request = {.url = url,
				       .authorization = "Basic c2VjcmV0",
				       .form = form,
				       .conf = conf};
	enum http_failure failure;
	struct err err;
	size_t size;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", small_server.port[0], path);
	*elsewhere = false;
	if (http_open(&request, &stream, &failure, &err) < 0 ||
	    http_read_all(stream, 100, &body, &size, &err) < 0) {
		(void)snprintf(got, 600, "%s", err.text);
		return -1;
	}
	(void)snprintf(got, 600, "%s", body);
	*elsewhere = http_reply(stream)->elsewhere;
	return http_reply(stream)->status;
}

static void credentials_stay_with_the_first_origin(void)
{
	static const int statuses[] = {301, 302, 303, 307, 308};
	char got[600], path[40];
	const char *log;
	bool elsewhere;

	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		(void)snprintf(path, sizeof(path), "/to/1/%d", statuses[i]);
		ok(ask(path, NULL, got, &elsewhere) == 200 && strcmp(got, "1") == 0 && elsewhere,
		   "%d leads to another port, which answers as such", statuses[i]);
		log = strstr(small_server_log(), "server 1:");
		ok(log && !strstr(log, "Authorization"), "without the credentials");
		(void)snprintf(path, sizeof(path), "/to/0/%d", statuses[i]);
		ok(ask(path, NULL, got, &elsewhere) == 200 && strcmp(got, "0") == 0 && !elsewhere,
		   "%d within one origin", statuses[i]);
		log = strstr(small_server_log(), " /end");
		ok(log && strstr(log, "Authorization"), "keeps them");
		(void)snprintf(path, sizeof(path), "/to/1/%d", statuses[i]);
		ok(ask(path, "refresh_token=secret", got, &elsewhere) == -1 &&
			   strstr(got, "nothing was sent there"),
		   "%d takes no form elsewhere", statuses[i]);
		ok(!strstr(small_server_log(), "server 1:"), "where nobody is asked");
	}
	ok(ask("/round/0", NULL, got, &elsewhere) == 200 && elsewhere,
	   "there and back again is still elsewhere");
	log = strstr(small_server_log(), " /end");
	ok(log && !strstr(log, "Authorization"), "for a stranger chose the path");
}

static void some_failures_may_pass(void)
{
	ok(http_may_pass(429) && http_may_pass(503) && !http_may_pass(404), "429 and 5xx may pass");
}

int main(void)
{
	conf = conf_new();
	if (!conf || !small_server_start(answer))
		return 1;
	credentials_stay_with_the_first_origin();
	some_failures_may_pass();
	conf_free(conf);
	return done_testing();
}
