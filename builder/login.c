/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/login.h"

#include "builder/credentials.h"
#include "builder/http.h"
#include "lib/log.h"

#include <jansson.h>
#include <openssl/evp.h>

enum { ANSWER_MAX = 256 << 10, TOKEN_MAX = 64 << 10 };

/* Who asks whom. */
struct ask {
	const struct conf *conf;
	const char *host, *name;
	const struct challenge *challenge;
	const struct credentials *credentials; /* NULL: anonymous */
};

static void clear(struct credentials *credentials)
{
	credentials_clear(credentials);
}

static void free_secret(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
}
#define auto_secret CLEANUP(free_secret) char

static char *basic(const struct credentials *credentials)
{
	auto_secret *pair = NULL;
	char *out;
	size_t size;

	if (asprintf(&pair, "%s:%s", credentials->user,
		     credentials->password ? credentials->password : "") < 0)
		return NULL;
	size = strlen("Basic ") + 4 * ((strlen(pair) + 2) / 3) + 1;
	out = malloc(size);
	if (out) {
		memcpy(out, "Basic ", 6);
		(void)EVP_EncodeBlock((unsigned char *)out + 6, (unsigned char *)pair,
				      (int)strlen(pair));
	}
	return out;
}

/* Visible ASCII only: it becomes a header. */
static bool is_token(const char *token)
{
	size_t len = 0;

	for (; token[len]; len++)
		if (token[len] <= ' ' || token[len] > '~' || len == TOKEN_MAX)
			return false;
	return len > 0;
}

static int take_token(const struct ask *ask, const char *text, size_t size, char **authorization,
		      struct err *err)
{
	json_auto_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const char *token = json_string_value(json_object_get(json, "token"));

	if (!token)
		token = json_string_value(json_object_get(json, "access_token"));
	if (!token || !is_token(token))
		return err_set(err, "the token server of '%s' gives no token", ask->host);
	return asprintf(authorization, "Bearer %s", token) < 0
		       ? err_sys(err, "cannot log in to '%s'", ask->host)
		       : 0;
}

/* Token servers are as busy as registries, and say so alike. */
static int ask_server(const struct http_request *request, struct http_stream **out, struct err *err)
{
	for (int try = 1;; try++) {
		auto_http_stream *stream = NULL;
		enum http_failure failure;
		long retry_after = -1;

		if (http_open(request, &stream, &failure, err) < 0) {
			if (failure != HTTP_LOST || try == HTTP_TRIES)
				return -1;
		} else if (!http_may_pass(http_reply(stream)->status) || try == HTTP_TRIES) {
			*out = take_ptr(&stream);
			return 0;
		} else {
			retry_after = http_reply(stream)->retry_after;
		}
		http_wait(try, retry_after);
	}
}

static int exchange(const struct ask *ask, const struct http_request *request, char **authorization,
		    struct err *err)
{
	auto_http_stream *stream = NULL;
	auto_secret *text = NULL;
	size_t size;
	long status;

	if (ask_server(request, &stream, err) < 0)
		return err_aim(err, "cannot log in to '%s'", ask->host);
	status = http_reply(stream)->status;
	if (status == 401 || status == 403)
		return err_set(err, "access to '%s/%s' denied%s", ask->host, ask->name,
			       ask->credentials ? ": the credentials are not accepted"
						: ": there are no credentials; log in with docker, "
						  "podman or skopeo login");
	if (status != 200)
		return err_set(err, "cannot log in to '%s': its token server answers %ld",
			       ask->host, status);
	if (http_read_all(stream, ANSWER_MAX, &text, &size, err) < 0)
		return err_aim(err, "cannot log in to '%s'", ask->host);
	return take_token(ask, text, size, authorization, err);
}

/* OAuth2: the identity token goes in the body, never in a URL that proxies may log. */
static int refresh(const struct ask *ask, const char *service, const char *scope,
		   char **authorization, struct err *err)
{
	auto_secret *token = http_escape(ask->credentials->identity_token), *form = NULL;
	struct http_request request = {.url = ask->challenge->realm, .conf = ask->conf};

	if (!token ||
	    asprintf(&form,
		     "grant_type=refresh_token&client_id=firn&service=%s&scope=%s&refresh_token=%s",
		     service, scope, token) < 0)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	request.form = form;
	return exchange(ask, &request, authorization, err);
}

static int get_token(const struct ask *ask, const char *service, const char *scope,
		     char **authorization, struct err *err)
{
	auto_free char *url = NULL;
	auto_secret *secret =
		ask->credentials && ask->credentials->user ? basic(ask->credentials) : NULL;
	const char *realm = ask->challenge->realm;
	struct http_request request = {.conf = ask->conf, .authorization = secret};

	if (asprintf(&url, "%s%cservice=%s&scope=%s", realm, strchr(realm, '?') ? '&' : '?',
		     service, scope) < 0)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	request.url = url;
	return exchange(ask, &request, authorization, err);
}

static int bearer(const struct ask *ask, char **authorization, struct err *err)
{
	auto_free char *service = http_escape(ask->challenge->service), *scope = NULL, *own = NULL;
	auto_free char *scheme = NULL, *realm_host = NULL;

	if (asprintf(&own, "repository:%s:pull", ask->name) < 0)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	scope = http_escape(*ask->challenge->scope ? ask->challenge->scope : own);
	if (!service || !scope)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	if (http_split(ask->challenge->realm, &scheme, &realm_host, err) < 0)
		return err_aim(err, "the realm of '%s'", ask->host);
	if (strcmp(scheme, "https") != 0 && !http_may_lead(ask->conf, ask->host, realm_host))
		return err_set(err,
			       "'%s' sends to the token server '%s' over %s: credentials go over "
			       "https only",
			       ask->host, realm_host, scheme);
	if (ask->credentials && strcmp(realm_host, ask->host) != 0)
		log_info("'%s' has its logins at '%s'", ask->host, realm_host);
	if (strcmp(scheme, "https") != 0 && ask->credentials &&
	    !http_is_allowed(ask->conf, ask->host))
		return err_set(err, "'%s' would have credentials sent to '%s' over %s", ask->host,
			       realm_host, scheme);
	return ask->credentials && ask->credentials->identity_token
		       ? refresh(ask, service, scope, authorization, err)
		       : get_token(ask, service, scope, authorization, err);
}

int login_answer(const struct conf *conf, const char *host, const char *account, const char *name,
		 const struct challenge *challenge, char **authorization, struct err *err)
{
	CLEANUP(clear) struct credentials credentials = {0};
	struct ask ask = {conf, host, name, challenge, NULL};
	int found;

	if (challenge->scheme == CHALLENGE_NONE)
		return err_set(err, "access to '%s/%s' denied, and '%s' does not say how to log in",
			       host, name, host);
	found = credentials_find(account, name, &credentials, err);
	if (found < 0)
		return -1;
	if (found > 0)
		ask.credentials = &credentials;
	if (challenge->scheme == CHALLENGE_BEARER)
		return bearer(&ask, authorization, err);
	if (!found || !credentials.user)
		return err_set(err,
			       "access to '%s/%s' denied: there are no credentials; log in with "
			       "docker, podman or skopeo login",
			       host, name);
	*authorization = basic(&credentials);
	return *authorization ? 0 : err_sys(err, "cannot log in to '%s'", host);
}
