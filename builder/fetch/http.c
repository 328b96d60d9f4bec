/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/fetch/http.h"

#include "builder/fetch/url.h"
#include "lib/host.h"
#include "lib/log.h"
#include "lib/wait.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <strings.h>
#include <time.h>

enum { CONNECT_TIMEOUT = 30, HEADERS_MAX = 256 };

struct http_stream {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	const struct conf *conf;
	const struct patience *patience;
	char *url;
	struct http_reply reply;
	int header_count;
	bool answered; /* all headers of the final answer are there */
	bool done, paused;
	CURLcode result; /* when done */
	char message[CURL_ERROR_SIZE];
	size_t at, filled; /* of buffer[] */
	char buffer[HTTP_BUFFER_SIZE + CURL_MAX_WRITE_SIZE];
};

static void start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void take_text(char *out, size_t size, const char *value)
{
	if (strlen(value) < size)
		(void)snprintf(out, size, "%s", value);
}

/* Seconds or a date (RFC 9110 10.2.3). */
static long take_delay(const char *value)
{
	time_t when;

	if (*value >= '0' && *value <= '9')
		return strlen(value) < 8 ? atol(value) : 1000000;
	when = curl_getdate(value, NULL);
	return when < 0 ? -1 : when > time(NULL) ? (long)(when - time(NULL)) : 0;
}

static void take_location(struct http_reply *reply, const char *value)
{
	reply->location_is_long = strlen(value) >= sizeof(reply->location);
	take_text(reply->location, sizeof(reply->location), value);
}

static void take_header(struct http_reply *reply, const char *name, const char *value)
{
	long long number;

	if (strcasecmp(name, "content-type") == 0)
		take_text(reply->content_type, sizeof(reply->content_type), value);
	else if (strcasecmp(name, "location") == 0)
		take_location(reply, value);
	else if (strcasecmp(name, "ratelimit-remaining") == 0)
		take_text(reply->limit, sizeof(reply->limit), value);
	else if (strcasecmp(name, "www-authenticate") == 0)
		challenge_take(&reply->challenge, value);
	else if (strcasecmp(name, "retry-after") == 0)
		reply->retry_after = take_delay(value);
	else if (strcasecmp(name, "content-length") == 0 && sscanf(value, "%19lld", &number) == 1 &&
		 number >= 0)
		reply->length = number;
	else if (strcasecmp(name, "content-range") == 0 &&
		 sscanf(value, "bytes %19lld-", &number) == 1)
		reply->range_start = number;
}

/* curl gives one line at a time, with its end; a status line begins a new answer. */
static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
	struct http_stream *stream = arg;
	auto_free char *line = strndup(data, size);
	size_t len;
	char *value;

	(void)one;
	if (!line || ++stream->header_count > HEADERS_MAX)
		return 0;
	len = strcspn(line, "\r\n");
	line[len] = 0;
	if (strncmp(line, "HTTP/", 5) == 0) {
		stream->reply =
			(struct http_reply){.length = -1, .range_start = -1, .retry_after = -1};
		(void)sscanf(line, "%*s %3ld", &stream->reply.status);
		return size;
	}
	if (len == 0) {
		stream->answered = stream->reply.status >= 200;
		return size;
	}
	value = strchr(line, ':');
	if (value) {
		*value++ = 0;
		value += strspn(value, " \t");
		for (len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
			value[len - 1] = 0;
		take_header(&stream->reply, line, value);
	}
	return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
	struct http_stream *stream = arg;

	(void)one;
	stream->answered = true;
	if (stream->at == stream->filled)
		stream->at = stream->filled = 0;
	if (stream->filled >= HTTP_BUFFER_SIZE || size > sizeof(stream->buffer) - stream->filled) {
		stream->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	memcpy(stream->buffer + stream->filled, data, size);
	stream->filled += size;
	return size;
}

/* Give curl time, until @until or the end of the transfer, or of the patience; or @end (ms). */
static int drive(struct http_stream *stream, bool (*until)(const struct http_stream *stream),
		 long long end)
{
	long long now = wait_clock_ms(), looked = now;

	for (; !stream->done && !until(stream) && now < end; now = wait_clock_ms()) {
		CURLMsg *message;
		int running, waiting;

		if (now - looked >= PATIENCE_MS) {
			if (!patience_lasts(stream->patience))
				return -1;
			looked = now;
		}
		if (curl_multi_perform(stream->multi, &running) != CURLM_OK)
			return -1;
		while ((message = curl_multi_info_read(stream->multi, &waiting)))
			if (message->msg == CURLMSG_DONE) {
				stream->done = true;
				stream->result = message->data.result;
			}
		if (!stream->done && !until(stream) &&
		    curl_multi_poll(stream->multi, NULL, 0,
				    end - now < PATIENCE_MS ? (int)(end - now) : PATIENCE_MS,
				    NULL) != CURLM_OK)
			return -1;
	}
	return 0;
}

static bool has_answer(const struct http_stream *stream)
{
	return stream->answered;
}

static bool has_data(const struct http_stream *stream)
{
	return stream->at < stream->filled;
}

static int add_header(struct http_stream *stream, const char *name, const char *value)
{
	auto_free char *line = NULL;
	struct curl_slist *grown;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -1;
	grown = curl_slist_append(stream->headers, line);
	explicit_bzero(line, strlen(line));
	if (!grown)
		return -1;
	stream->headers = grown;
	return 0;
}

#define SET(option, value) (void)curl_easy_setopt(stream->easy, option, value)

static void set_protocols(struct http_stream *stream)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_up(struct http_stream *stream, const struct http_request *request, const char *host)
{
	const struct conf_registry *registry = conf_registry(request->conf, host);

	SET(CURLOPT_URL, stream->url);
	set_protocols(stream);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "firn/" PACKAGE_VERSION);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)request->conf->stall);
	SET(CURLOPT_ERRORBUFFER, stream->message);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, stream);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, stream);
	SET(CURLOPT_HTTPHEADER, stream->headers);
	/* not CURLOPT_RESUME_FROM, which takes the answer 200 for an error */
	if (request->from > 0) {
		char range[32];

		(void)snprintf(range, sizeof(range), "%llu-", (unsigned long long)request->from);
		SET(CURLOPT_RANGE, range);
	}
	if (request->form)
		SET(CURLOPT_COPYPOSTFIELDS, request->form);
	if (host_is_loopback(host)) /* no proxy knows this machine's own services */
		SET(CURLOPT_PROXY, "");
	if (registry && registry->ca)
		SET(CURLOPT_CAINFO, registry->ca);
	if (registry && registry->insecure) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static enum http_failure classify(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE: case CURLE_HTTP2: case CURLE_HTTP2_STREAM:
		return HTTP_LOST;
	case CURLE_COULDNT_CONNECT: case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_NO_TLS;
	default:
		return HTTP_FINAL;
	}
}

/* The machine has no certificates of authorities: curl says so first, whatever the host speaks. */
static bool lacks_authorities(const struct http_stream *stream, const char *host)
{
	const struct conf_registry *registry = conf_registry(stream->conf, host);

	return stream->result == CURLE_SSL_CACERT_BADFILE && !(registry && registry->ca);
}

static int explain(const struct http_stream *stream, struct err *err)
{
	auto_free char *scheme = NULL, *host = NULL;
	const char *reason =
		*stream->message ? stream->message : curl_easy_strerror(stream->result);
	bool untrusted = stream->result == CURLE_PEER_FAILED_VERIFICATION;
	bool no_tls = stream->result == CURLE_SSL_CONNECT_ERROR;

	if (url_split(stream->url, &scheme, &host, err) < 0)
		return -1;
	(void)err_set(err, "'%s': %s", host, reason);
	if (classify(stream->result) == HTTP_UNREACHABLE)
		err->code = ENOTCONN;
	if (no_tls)
		return err_set(err,
			       "'%s': %s; if it speaks plain http only, the site can allow that in "
			       "firn.conf: "
			       "[registry \"%s\"] insecure = yes",
			       host, reason, host);
	if (lacks_authorities(stream, host))
		return err_set(err,
			       "'%s': there are no certificates here to know it by; install "
			       "ca-certificates, or name its CA in firn.conf: "
			       "[registry \"%s\"] ca = FILE",
			       host, host);
	if (stream->result == CURLE_SSL_CACERT_BADFILE)
		return err_set(err,
			       "'%s': %s, which firn.conf names: [registry \"%s\"] ca; see 'firn "
			       "doctor'",
			       host, reason, host);
	if (untrusted)
		return err_set(err,
			       "'%s': %s; name its CA in firn.conf: [registry \"%s\"] ca = FILE",
			       host, reason, host);
	return -1;
}

/* One request, without redirects. */
static int open_one(const struct http_request *request, const char *url, const char *host,
		    const char *authorization, struct http_stream **out, enum http_failure *failure,
		    struct err *err)
{
	auto_http_stream *stream = calloc(1, sizeof(*stream));

	*failure = HTTP_FINAL;
	if (!stream || !(stream->url = strdup(url)) || !(stream->multi = curl_multi_init()) ||
	    !(stream->easy = curl_easy_init()))
		return err_code(err, ENOMEM, "cannot ask '%s'", host);
	stream->conf = request->conf;
	stream->patience = request->patience;
	if ((request->accept && add_header(stream, "Accept", request->accept) < 0) ||
	    (authorization && add_header(stream, "Authorization", authorization) < 0))
		return err_code(err, ENOMEM, "cannot ask '%s'", host);
	set_up(stream, request, host);
	if (curl_multi_add_handle(stream->multi, stream->easy) != CURLM_OK ||
	    drive(stream, has_answer, LLONG_MAX) < 0)
		return err_set(err, "cannot ask '%s'", host);
	if (!stream->answered) {
		*failure = lacks_authorities(stream, host) ? HTTP_NO_TLS
							   : classify(stream->result);
		return explain(stream, err);
	}
	log_debug("http: %ld from %s", stream->reply.status, host);
	*out = take_ptr(&stream);
	return 0;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/*
 * Plain http: to hosts that the site lists, and to this machine's own, but not because @asked, a
 * stranger, sends there.
 */
static int check_scheme(const struct conf *conf, const char *scheme, const char *host,
			const char *asked, struct err *err)
{
	if (strcmp(scheme, "https") == 0 ||
	    (strcmp(scheme, "http") == 0 && url_may_lead(conf, asked, host)))
		return 0;
	return err_set(err,
		       "'%s' would be asked over %s, not https; firn.conf's [registry \"%s\"] "
		       "insecure = yes allows it",
		       host, scheme, host);
}

int http_open(const struct http_request *request, struct http_stream **out,
	      enum http_failure *failure, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	auto_free char *url = strdup(request->url), *first_scheme = NULL, *first_host = NULL;
	bool elsewhere = false; /* for good: a stranger that sends back here chooses the path */

	(void)pthread_once(&once, start_curl);
	*failure = HTTP_FINAL;
	if (!url)
		return err_sys(err, "cannot ask a registry");
	if (url_split(url, &first_scheme, &first_host, err) < 0)
		return -1;
	for (int redirects = 0;; redirects++) {
		auto_free char *scheme = NULL, *host = NULL, *next = NULL;
		auto_http_stream *stream = NULL;

		if (url_split(url, &scheme, &host, err) < 0 ||
		    check_scheme(request->conf, scheme, host, first_host, err) < 0)
			return -1;
		elsewhere = elsewhere || strcmp(scheme, first_scheme) != 0 ||
			    strcasecmp(host, first_host) != 0;
		if (elsewhere && request->form)
			return err_set(err,
				       "'%s' sends on to '%s' what is for itself alone; nothing "
				       "was sent there",
				       first_host, host);
		if (open_one(request, url, host, elsewhere ? NULL : request->authorization, &stream,
			     failure, err) < 0)
			return -1;
		if (!is_redirect(stream->reply.status)) {
			stream->reply.elsewhere = elsewhere;
			take_text(stream->reply.host, sizeof(stream->reply.host), host);
			*out = take_ptr(&stream);
			return 0;
		}
		if (redirects == HTTP_REDIRECTS_MAX)
			return err_set(err, "'%s' redirects more than %d times", first_host,
				       HTTP_REDIRECTS_MAX);
		if (stream->reply.location_is_long)
			return err_set(err, "'%s' redirects to an address of more than %zu bytes",
				       host, sizeof(stream->reply.location) - 1);
		next = *stream->reply.location ? url_resolve(url, stream->reply.location) : NULL;
		if (!next)
			return err_set(err, "'%s' redirects to nowhere", host);
		free(url);
		url = take_ptr(&next);
	}
}

bool http_may_pass(long status)
{
	return status == 429 || status >= 500;
}

const struct http_reply *http_reply(const struct http_stream *stream)
{
	return &stream->reply;
}

static int await_data(struct http_stream *stream, long long end)
{
	if (!has_data(stream) && stream->paused) {
		stream->paused = false;
		(void)curl_easy_pause(stream->easy, CURLPAUSE_CONT);
	}
	return drive(stream, has_data, end);
}

bool http_has_more(struct http_stream *stream, long long ms)
{
	return await_data(stream, wait_clock_ms() + ms) < 0 || has_data(stream) || stream->done;
}

ssize_t http_read(struct http_stream *stream, void *buffer, size_t size, struct err *err)
{
	if (await_data(stream, LLONG_MAX) < 0)
		return err_set(err, "cannot read from a registry");
	if (!has_data(stream))
		return stream->result == CURLE_OK ? 0 : explain(stream, err);
	if (size > stream->filled - stream->at)
		size = stream->filled - stream->at;
	memcpy(buffer, stream->buffer + stream->at, size);
	stream->at += size;
	return (ssize_t)size;
}

int http_read_all(struct http_stream *stream, size_t max, char **text, size_t *out_size,
		  struct err *err)
{
	auto_free char *data = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - size < 2) {
			char *grown = realloc(data, room + (64 << 10));

			if (!grown)
				return err_sys(err, "cannot read an answer");
			data = grown;
			room += 64 << 10;
		}
		n = http_read(stream, data + size, room - size - 1, err);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > max)
			return err_set(err, "an answer of more than %zu bytes", max);
	}
	data[size] = 0;
	*out_size = size;
	*text = take_ptr(&data);
	return 0;
}

void http_close(struct http_stream *stream)
{
	if (!stream)
		return;
	if (stream->multi && stream->easy)
		(void)curl_multi_remove_handle(stream->multi, stream->easy);
	curl_easy_cleanup(stream->easy);
	(void)curl_multi_cleanup(stream->multi);
	curl_slist_free_all(stream->headers);
	free(stream->url);
	free(stream);
}

void http_closep(struct http_stream **stream)
{
	http_close(*stream);
}
