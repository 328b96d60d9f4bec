/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * http.h - one HTTP request, whose answer is read as a stream.
 *
 * On libcurl. Redirects are followed here, not by curl, so that it is certain what
 * goes where: at most 5, to https only (or to hosts for which plain http is allowed).
 * As soon as scheme, host or port are others, Authorization stays behind, for good; a
 * form, which holds a secret, goes to no other origin at all: that is an error. Who
 * answers from elsewhere is told from who was asked: its challenge is its own.
 * What is received waits in a bounded buffer; when it is full the connection is not read.
 */
#ifndef FIRN_BUILDER_FETCH_HTTP_H
#define FIRN_BUILDER_FETCH_HTTP_H

#include "builder/fetch/challenge.h"
#include "builder/fetch/patience.h"
#include "lib/conf/conf.h"

#include <stdint.h>
#include <sys/types.h>

enum { HTTP_BUFFER_SIZE = 512 << 10, HTTP_REDIRECTS_MAX = 5 };

/*
 * What is asked. All is borrowed until http_open() returns, but for @conf and @patience, which
 * outlive the stream.
 */
struct http_request {
	const char *url;
	const char *accept;        /* value of Accept; NULL: anything */
	const char *authorization; /* value of Authorization; NULL: none */
	uint64_t from;             /* > 0: Range: bytes=FROM- */
	/* POST this application/x-www-form-urlencoded; NULL: GET. Not to other origins. */
	const char *form;
	const struct conf *conf;
	const struct patience *patience; /* NULL: it lasts */
};

/* What was answered, before its body. A value that does not fit its field counts as absent. */
struct http_reply {
	long status;
	/* Content-Type and Location, as they stand there. */
	char content_type[256], location[4096];
	/* ratelimit-remaining, for messages. */
	char limit[128];
	struct challenge challenge; /* of WWW-Authenticate */
	bool location_is_long;      /* there is one that does not fit location[] */
	int64_t length;             /* Content-Length; -1: not said */
	int64_t range_start;        /* of Content-Range; -1: none */
	long retry_after;           /* seconds; -1: not said */
	bool elsewhere; /* a redirect led to another scheme, host or port, which answers this */
	char host[300];             /* who answers this, with its port */
};

/* Why a request got no answer, for who tries again. */
enum http_failure {
	HTTP_LOST,        /* may go better next time */
	HTTP_UNREACHABLE, /* no such name, or nobody there: may pass if the host was there before */
	HTTP_NO_TLS,      /* the other end speaks no TLS, or nothing here could tell whose it is */
	HTTP_FINAL,
};

struct http_stream;

/*
 * Send the request and wait for the headers of the last answer. Any status is an
 * answer. Returns 0 and a new stream in @out, or -1 with @err and the kind of @failure.
 * Waits at most 30 s for a connection, and conf->stall seconds for the next byte.
 */
int http_open(const struct http_request *request, struct http_stream **out,
	      enum http_failure *failure, struct err *err);
const struct http_reply *http_reply(const struct http_stream *stream);
/*
 * The body: up to @size bytes, 0 at its end, -1 with @err when the connection was lost or stalled.
 * What was read before is good.
 */
ssize_t http_read(struct http_stream *stream, void *buffer, size_t size, struct err *err);
/* Whether http_read() would not wait: for bytes, the end, or a failure; after @ms at the latest. */
bool http_has_more(struct http_stream *stream, long long ms);
void http_close(struct http_stream *stream);
void http_closep(struct http_stream **stream);
#define auto_http_stream CLEANUP(http_closep) struct http_stream

/*
 * The whole body, at most @max bytes, in a new string with a NUL behind. Returns 0, or -1 with
 * @err.
 */
int http_read_all(struct http_stream *stream, size_t max, char **text, size_t *size,
		  struct err *err);

/* Errors of reaching a host at all have the code ENOTCONN. */

/* How often a request is made before its failure counts. */
enum { HTTP_TRIES = 5 };

/* Whether a refusal with @status may pass: too many requests, or an error of the server's. */
bool http_may_pass(long status);

#endif
