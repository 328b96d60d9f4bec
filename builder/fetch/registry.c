/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/registry.h"

#include "builder/fetch/http.h"
#include "builder/fetch/login.h"
#include "builder/fetch/url.h"
#include "lib/log.h"

#include <inttypes.h>
#include <pthread.h>

enum { LOGINS = 3, ENDPOINTS_MAX = 2 };

#define HUB_API "registry-1.docker.io"

static const char manifest_types[] =
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.docker.distribution.manifest.v2+json";

/* Where the repository is to be had: a mirror, or the registry itself. */
struct endpoint {
	char *host, *prefix; /* "" or "/path" of a mirror */
	const char *account; /* under which credentials are kept */
	const char *scheme;  /* static */
	bool scheme_open;    /* https was not tried yet, and http would be allowed */
	char *authorization; /* NULL: none was asked for yet */
	unsigned logins;     /* how often authorization was set */
	bool has_answered;   /* so if it cannot be reached now, that may pass */
	pthread_mutex_t login; /* held while somebody logs in; taken before the registry's lock */
};

struct registry {
	const struct reference *reference;
	const struct conf *conf;
	pthread_mutex_t lock;			 /* over what endpoints remember */
	struct endpoint endpoint[ENDPOINTS_MAX]; /* best first */
	size_t count;
};

struct registry_blob {
	struct registry *registry;
	const struct patience *patience;
	struct digest digest;
	uint64_t size, at;
	uint64_t skip; /* bytes of the stream that are there already: the Range was ignored */
	int failures;  /* in a row, without a byte in between */
	struct http_stream *stream;
};

static struct endpoint *add_endpoint(struct registry *registry)
{
	struct endpoint *endpoint = &registry->endpoint[registry->count++];

	(void)pthread_mutex_init(&endpoint->login, NULL);
	return endpoint;
}

static int add_mirror(struct registry *registry, const char *url, struct err *err)
{
	struct endpoint *endpoint = add_endpoint(registry);
	auto_free char *scheme = NULL;
	const char *path;

	if (url_split(url, &scheme, &endpoint->host, err) < 0)
		return err_aim(err, "the mirror of '%s'", registry->reference->host);
	endpoint->scheme = strcmp(scheme, "http") == 0 ? "http" : "https";
	path = strstr(url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	endpoint->prefix = strdup(path ? path : "");
	if (!endpoint->prefix)
		return err_sys(err, "cannot ask a mirror");
	for (size_t len = strlen(endpoint->prefix); len > 0 && endpoint->prefix[len - 1] == '/';
	     len--)
		endpoint->prefix[len - 1] = 0;
	endpoint->account = endpoint->host;
	return 0;
}

static int add_origin(struct registry *registry, struct err *err)
{
	struct endpoint *endpoint = add_endpoint(registry);
	const char *host = registry->reference->host;

	endpoint->host = strdup(strcmp(host, REFERENCE_HUB) == 0 ? HUB_API : host);
	endpoint->prefix = strdup("");
	if (!endpoint->host || !endpoint->prefix)
		return err_sys(err, "cannot ask '%s'", host);
	endpoint->account = host;
	endpoint->scheme = "https";
	endpoint->scheme_open = url_may_be_plain(registry->conf, host);
	return 0;
}

int registry_open(const struct reference *reference, const struct conf *conf, struct registry **out,
		  struct err *err)
{
	auto_registry *registry = calloc(1, sizeof(*registry));
	const struct conf_registry *section = conf_registry(conf, reference->host);

	if (!registry)
		return err_sys(err, "cannot ask '%s'", reference->host);
	registry->reference = reference;
	registry->conf = conf;
	(void)pthread_mutex_init(&registry->lock, NULL);
	if ((section && section->mirror && add_mirror(registry, section->mirror, err) < 0) ||
	    add_origin(registry, err) < 0)
		return -1;
	*out = take_ptr(&registry);
	return 0;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->count; i++) {
		struct endpoint *endpoint = &registry->endpoint[i];

		if (endpoint->authorization)
			explicit_bzero(endpoint->authorization, strlen(endpoint->authorization));
		free(endpoint->authorization);
		free(endpoint->prefix);
		free(endpoint->host);
		(void)pthread_mutex_destroy(&endpoint->login);
	}
	(void)pthread_mutex_destroy(&registry->lock);
	free(registry);
}

void registry_closep(struct registry **registry)
{
	registry_close(*registry);
}

/* What this endpoint is asked with now; @logins tells later whether another thread was faster. */
static char *snapshot(struct registry *registry, struct endpoint *endpoint, const char **scheme,
		      unsigned *logins)
{
	char *authorization;

	(void)pthread_mutex_lock(&registry->lock);
	authorization = endpoint->authorization ? strdup(endpoint->authorization) : NULL;
	*scheme = endpoint->scheme;
	*logins = endpoint->logins;
	(void)pthread_mutex_unlock(&registry->lock);
	return authorization;
}

static unsigned count_logins(struct registry *registry, const struct endpoint *endpoint)
{
	unsigned logins;

	(void)pthread_mutex_lock(&registry->lock);
	logins = endpoint->logins;
	(void)pthread_mutex_unlock(&registry->lock);
	return logins;
}

/*
 * Answer the challenge, unless another thread has since @logins. Who wants to log in here as well
 * waits for the answer; requests that have an authorization go on with it meanwhile.
 */
static int log_in(struct registry *registry, struct endpoint *endpoint,
		  const struct challenge *challenge, unsigned logins,
		  const struct patience *patience, struct err *err)
{
	char *authorization = NULL, *old = NULL;
	int result = 0;

	(void)pthread_mutex_lock(&endpoint->login);
	if (count_logins(registry, endpoint) == logins)
		result = login_answer(registry->conf, endpoint->host, endpoint->account,
				      registry->reference->name, challenge, patience,
				      &authorization, err);
	if (authorization) {
		(void)pthread_mutex_lock(&registry->lock);
		old = endpoint->authorization;
		endpoint->authorization = authorization;
		endpoint->logins++;
		(void)pthread_mutex_unlock(&registry->lock);
	}
	(void)pthread_mutex_unlock(&endpoint->login);
	if (old)
		explicit_bzero(old, strlen(old));
	free(old);
	return result;
}

/* Whether a request of which @result and @failure came is worth to be made again. */
static bool may_pass(struct registry *registry, struct endpoint *endpoint, int result,
		     enum http_failure failure)
{
	bool is_last = endpoint == &registry->endpoint[registry->count - 1], known;

	(void)pthread_mutex_lock(&registry->lock);
	endpoint->has_answered = endpoint->has_answered || result == 0;
	known = endpoint->has_answered;
	(void)pthread_mutex_unlock(&registry->lock);
	/* A mirror that went away is not waited for: there is the registry itself. */
	return failure == HTTP_LOST || (failure == HTTP_UNREACHABLE && known && is_last);
}

/* One request to one endpoint. Plain http comes only after https was no TLS at all. */
static int request_once(struct registry *registry, struct endpoint *endpoint, const char *path,
			const char *accept, uint64_t from, const struct patience *patience,
			unsigned *logins, struct http_stream **out, enum http_failure *failure,
			struct err *err)
{
	const char *scheme;
	auto_free char *authorization = snapshot(registry, endpoint, &scheme, logins), *url = NULL;
	struct http_request request = {.accept = accept,
				       .authorization = authorization,
				       .from = from,
				       .conf = registry->conf,
				       .patience = patience};
	int result;

	if (asprintf(&url, "%s://%s%s/v2/%s/%s", scheme, endpoint->host, endpoint->prefix,
		     registry->reference->name, path) < 0)
		return err_sys(err, "cannot ask '%s'", endpoint->host);
	request.url = url;
	result = http_open(&request, out, failure, err);
	if (result < 0 && *failure == HTTP_NO_TLS) {
		bool again;

		(void)pthread_mutex_lock(&registry->lock);
		again = endpoint->scheme_open;
		if (again) {
			log_info("'%s' speaks plain http", endpoint->host);
			endpoint->scheme = "http";
			endpoint->scheme_open = false;
		}
		again = again || strcmp(endpoint->scheme, scheme) != 0;
		(void)pthread_mutex_unlock(&registry->lock);
		if (again)
			return request_once(registry, endpoint, path, accept, from, patience,
					    logins, out, failure, err);
	}
	return result;
}

static int refuse(const struct registry *registry, const struct endpoint *endpoint,
		  const struct http_reply *reply, const char *path, struct err *err)
{
	const char *name = registry->reference->name, *what = strrchr(path, '/');

	what = what ? what + 1 : path;
	if (reply->elsewhere && (reply->status == 401 || reply->status == 403))
		return err_set(err,
			       "'%s' sends on to '%s', which answers %ld: no credentials go there",
			       endpoint->host, reply->host, reply->status);
	if (reply->status == 404)
		return err_answer(err, ENOENT, "'%s' has no '%s' of the image '%s'", endpoint->host,
				  what, name);
	if (reply->status == 401 || reply->status == 403)
		return err_answer(err, EACCES,
				  "access to '%s/%s' denied: the credentials are not accepted",
				  endpoint->host, name);
	if (reply->status == 429)
		return err_set(err,
			       "'%s' answers that there were too many requests (429%s%s); try "
			       "later or log in",
			       endpoint->host, *reply->limit ? ", remaining: " : "", reply->limit);
	return err_set(err, "'%s' answers %ld when asked for '%s' of '%s'", endpoint->host,
		       reply->status, what, name);
}

/* Until there is a good answer, or none to be had. */
static int request_endpoint(struct registry *registry, struct endpoint *endpoint, const char *path,
			    const char *accept, uint64_t from, const struct patience *patience,
			    struct http_stream **out, struct err *err)
{
	int logins_left = LOGINS;

	for (int try = 0;;) {
		auto_http_stream *stream = NULL;
		enum http_failure failure = HTTP_FINAL;
		const struct http_reply *reply;
		unsigned logins;
		int result = request_once(registry, endpoint, path, accept, from, patience, &logins,
					  &stream, &failure, err);
		bool again = may_pass(registry, endpoint, result, failure);

		if (!patience_lasts(patience))
			return patience_ends(err);
		if (result < 0) {
			if (!again || ++try == HTTP_TRIES)
				return -1;
			log_info("%s; trying again", err->text);
			patience_wait(try, -1, patience);
			continue;
		}
		reply = http_reply(stream);
		if (reply->status == 200 || reply->status == 206) {
			*out = take_ptr(&stream);
			return 0;
		}
		/* Who answers from elsewhere has a challenge of its own, which is not for these
		 * credentials. */
		if (reply->status == 401 && !reply->elsewhere && logins_left > 0) {
			/* Tokens expire, even between two threads; a password that is wrong stays
			 * wrong. */
			logins_left -= reply->challenge.scheme == CHALLENGE_BEARER ? 1 : LOGINS;
			if (log_in(registry, endpoint, &reply->challenge, logins, patience, err) ==
			    0)
				continue;
			/* A token server that was there for the last token may come back. */
			if (err->code != ENOTCONN || logins == 0 || ++try == HTTP_TRIES)
				return -1;
			logins_left++;
			patience_wait(try, -1, patience);
			continue;
		}
		if (!http_may_pass(reply->status) || ++try == HTTP_TRIES)
			return refuse(registry, endpoint, reply, path, err);
		log_info("'%s' answers %ld; trying again", endpoint->host, reply->status);
		patience_wait(try, reply->retry_after, patience);
	}
}

static int request(struct registry *registry, const char *path, const char *accept, uint64_t from,
		   const struct patience *patience, struct http_stream **out, struct err *err)
{
	for (size_t i = 0;; i++) {
		if (request_endpoint(registry, &registry->endpoint[i], path, accept, from, patience,
				     out, err) == 0)
			return 0;
		if (i + 1 == registry->count || !patience_lasts(patience))
			return -1;
		log_info("mirror: %s; asking '%s'", err->text, registry->endpoint[i + 1].host);
	}
}

int registry_manifest(struct registry *registry, const char *what, size_t max,
		      const struct patience *patience, struct document *out, struct err *err)
{
	auto_http_stream *stream = NULL;
	auto_free char *path = NULL;
	struct digest wanted = {0};
	bool is_digest;

	*out = (struct document){0};
	if (asprintf(&path, "manifests/%s", what) < 0)
		return err_sys(err, "cannot ask a registry");
	if (request(registry, path, manifest_types, 0, patience, &stream, err) < 0)
		return -1;
	if (http_read_all(stream, max, &out->text, &out->size, err) < 0)
		return err_aim(err, "the manifest of '%s/%s'", registry->reference->host,
			       registry->reference->name);
	(void)snprintf(out->media_type, sizeof(out->media_type), "%.*s",
		       (int)strcspn(http_reply(stream)->content_type, "; "),
		       http_reply(stream)->content_type);
	is_digest = digest_take(&wanted, what) == 0;
	if (digest_of_like(&wanted, out->text, out->size, &out->digest, err) < 0 ||
	    (is_digest && !digest_is(&wanted, &out->digest))) {
		document_clear(out);
		return err_set(err,
			       "'%s' gives a manifest of '%s' that does not match its digest %s",
			       registry->reference->host, registry->reference->name, wanted.text);
	}
	return 0;
}

void document_clear(struct document *document)
{
	free(take_ptr(&document->text));
}

/* (Re)open the stream at blob->at. */
static int open_blob(struct registry_blob *blob, struct err *err)
{
	auto_free char *path = NULL;
	const struct http_reply *reply;

	http_close(take_ptr(&blob->stream));
	if (asprintf(&path, "blobs/%s", blob->digest.text) < 0)
		return err_sys(err, "cannot ask a registry");
	if (request(blob->registry, path, NULL, blob->at, blob->patience, &blob->stream, err) < 0)
		return -1;
	reply = http_reply(blob->stream);
	blob->skip = reply->status == 206 ? 0 : blob->at;
	if (reply->status == 206 &&
	    (reply->range_start < 0 || (uint64_t)reply->range_start != blob->at))
		return err_set(err, "'%s' gives another part of a blob than it was asked for",
			       blob->registry->reference->host);
	if (reply->length >= 0 && (uint64_t)reply->length != blob->size - blob->at + blob->skip)
		return err_set(err, "'%s' has %" PRId64 " bytes for a blob of %" PRIu64,
			       blob->registry->reference->host, reply->length,
			       blob->size - blob->at + blob->skip);
	return 0;
}

int registry_blob_open(struct registry *registry, const struct digest *digest, uint64_t size,
		       uint64_t offset, const struct patience *patience, struct registry_blob **out,
		       struct err *err)
{
	struct registry_blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return err_sys(err, "cannot ask a registry");
	blob->registry = registry;
	blob->patience = patience;
	blob->digest = *digest;
	blob->size = size;
	blob->at = offset;
	if (offset < size && open_blob(blob, err) < 0) {
		registry_blob_close(blob);
		return -1;
	}
	*out = blob;
	return 0;
}

/* Bytes that are there already, since the server does not know Range. */
static int skip_known(struct registry_blob *blob, struct err *err)
{
	char buffer[16 << 10];

	while (blob->skip > 0) {
		ssize_t n =
			http_read(blob->stream, buffer,
				  blob->skip < sizeof(buffer) ? (size_t)blob->skip : sizeof(buffer),
				  err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, "a blob ends too soon");
		blob->skip -= (uint64_t)n;
	}
	return 0;
}

static ssize_t read_once(struct registry_blob *blob, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (skip_known(blob, err) < 0)
		return -1;
	n = http_read(blob->stream, buffer, size, err);
	if (n == 0)
		return err_set(err, "'%s' breaks a blob off after %" PRIu64 " of %" PRIu64 " bytes",
			       blob->registry->reference->host, blob->at, blob->size);
	return n;
}

/* All bytes are there: nothing may follow. */
static ssize_t check_end(struct registry_blob *blob, struct err *err)
{
	char more;
	ssize_t n = blob->stream ? http_read(blob->stream, &more, 1, err) : 0;

	if (n > 0)
		return err_set(err, "'%s' gives more than the %" PRIu64 " bytes of a blob",
			       blob->registry->reference->host, blob->size);
	http_close(take_ptr(&blob->stream));
	return 0;
}

ssize_t registry_blob_read(struct registry_blob *blob, void *buffer, size_t size, struct err *err)
{
	if (blob->at == blob->size)
		return check_end(blob, err);
	if (size > blob->size - blob->at)
		size = (size_t)(blob->size - blob->at);
	for (;;) {
		ssize_t n = blob->stream ? read_once(blob, buffer, size, err) : -1;

		if (n > 0) {
			blob->at += (uint64_t)n;
			blob->failures = 0;
			return n;
		}
		if (++blob->failures == HTTP_TRIES)
			return -1;
		if (!patience_lasts(blob->patience))
			return patience_ends(err);
		log_info("%s; going on from there", err->text);
		patience_wait(blob->failures, -1, blob->patience);
		if (open_blob(blob, err) < 0) /* after several tries */
			return -1;
	}
}

bool registry_blob_has_more(struct registry_blob *blob, long long ms)
{
	return blob->stream && blob->skip == 0 && http_has_more(blob->stream, ms);
}

void registry_blob_close(struct registry_blob *blob)
{
	if (!blob)
		return;
	http_close(blob->stream);
	free(blob);
}
