/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/login.h"

#include "builder/fetch/credentials.h"
#include "builder/fetch/http.h"
#include "builder/fetch/reference.h"
#include "builder/fetch/url.h"
#include "lib/host.h"
#include "lib/log.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <strings.h>

enum { ANSWER_MAX = 256 << 10, TOKEN_MAX = 64 << 10 };

/* Who asks whom. */
struct ask {
	const struct conf *conf;
	const char *host, *account, *name;
	const struct challenge *challenge;
	const struct credentials *credentials; /* NULL: anonymous */
	const struct patience *patience;
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
			if (failure != HTTP_LOST || try == HTTP_TRIES ||
			    !patience_lasts(request->patience))
				return -1;
		} else if (!http_may_pass(http_reply(stream)->status) || try == HTTP_TRIES) {
			*out = take_ptr(&stream);
			return 0;
		} else {
			retry_after = http_reply(stream)->retry_after;
		}
		patience_wait(try, retry_after, request->patience);
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
		return err_answer(err, EACCES, "access to '%s/%s' denied%s", ask->host, ask->name,
				  ask->credentials
					  ? ": the credentials are not accepted"
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
	auto_secret *token = url_escape(ask->credentials->identity_token), *form = NULL;
	struct http_request request = {
		.url = ask->challenge->realm, .conf = ask->conf, .patience = ask->patience};

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
	struct http_request request = {
		.conf = ask->conf, .authorization = secret, .patience = ask->patience};

	if (asprintf(&url, "%s%cservice=%s&scope=%s", realm, strchr(realm, '?') ? '&' : '?',
		     service, scope) < 0)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	request.url = url;
	return exchange(ask, &request, authorization, err);
}

/* Below these, names belong to anybody: two labels in common say nothing. */
static bool is_public(const char *second, size_t len)
{
	static const char *const labels[] = {"ac",  "co",  "com", "edu", "go", "gob",
					     "gov", "ltd", "me",  "mil", "ne", "net",
					     "nom", "or",  "org", "plc", "sch"};

	for (size_t i = 0; i < COUNT_OF(labels); i++)
		if (strlen(labels[i]) == len && strncasecmp(labels[i], second, len) == 0)
			return true;
	return false;
}

/* The domain of the name @host (@len bytes) that one owner has; NULL for an address or a single
 * label. */
static const char *find_domain(const char *host, size_t len)
{
	const char *label[3]; /* the last ones, last first */
	size_t count = 0;

	if (*host == '[' || strspn(host, "0123456789.") >= len)
		return NULL;
	for (size_t at = len; at > 0 && count < COUNT_OF(label); at--)
		if (at == 1 || host[at - 2] == '.')
			label[count++] = host + at - 1;
	if (count < 2)
		return NULL;
	if (host + len - label[0] != 2 || !is_public(label[1], (size_t)(label[0] - label[1]) - 1))
		return label[1];
	return count == 3 ? label[2] : NULL;
}

static size_t name_len(const char *host)
{
	return *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
}

bool login_is_related(const char *host, const char *realm)
{
	static const char *const hub[] = {REFERENCE_HUB, "docker.com"}; /* one owner */
	size_t len = name_len(host), realm_len = name_len(realm);
	const char *domain = find_domain(host, len), *other = find_domain(realm, realm_len);
	size_t domain_len, other_len;
	bool both = true;

	if ((len == realm_len && strncasecmp(host, realm, len) == 0) ||
	    (host_is_loopback(host) && host_is_loopback(realm)))
		return true;
	if (!domain || !other)
		return false;
	domain_len = (size_t)(host + len - domain);
	other_len = (size_t)(realm + realm_len - other);
	for (size_t i = 0; i < COUNT_OF(hub); i++)
		both = both && ((domain_len == strlen(hub[i]) &&
				 strncasecmp(domain, hub[i], domain_len) == 0) ||
				(other_len == strlen(hub[i]) &&
				 strncasecmp(other, hub[i], other_len) == 0));
	return both || (domain_len == other_len && strncasecmp(domain, other, domain_len) == 0);
}

/* A registry names its token server; that the user's password goes there is not its decision alone.
 */
static int check_realm(const struct ask *ask, const char *scheme, const char *realm,
		       struct err *err)
{
	const struct conf_registry *section = conf_registry(ask->conf, ask->account);
	bool is_https = strcmp(scheme, "https") == 0;

	if (!is_https && !url_may_lead(ask->conf, ask->host, realm))
		return err_set(err,
			       "'%s' sends to the token server '%s' over %s: credentials go over "
			       "https only",
			       ask->host, realm, scheme);
	if (!ask->credentials)
		return 0;
	if (strcmp(realm, ask->host) != 0)
		log_info("'%s' has its logins at '%s'", ask->host, realm);
	if (!is_https && !url_may_be_plain(ask->conf, ask->host))
		return err_set(err, "'%s' would have credentials sent to '%s' over %s", ask->host,
			       realm, scheme);
	if (login_is_related(ask->host, realm) ||
	    (section && section->token_server && strcasecmp(section->token_server, realm) == 0))
		return 0;
	return err_set(
		err,
		"'%s' would have its credentials sent to '%s', which is not of its domain; if "
		"it logs in there, firn.conf can say so: [registry \"%s\"] token-server = %s",
		ask->host, realm, ask->account, realm);
}

static int bearer(const struct ask *ask, char **authorization, struct err *err)
{
	auto_free char *service = url_escape(ask->challenge->service), *scope = NULL, *own = NULL;
	auto_free char *scheme = NULL, *realm_host = NULL;

	if (asprintf(&own, "repository:%s:pull", ask->name) < 0)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	scope = url_escape(*ask->challenge->scope ? ask->challenge->scope : own);
	if (!service || !scope)
		return err_sys(err, "cannot log in to '%s'", ask->host);
	if (url_split(ask->challenge->realm, &scheme, &realm_host, err) < 0)
		return err_aim(err, "the realm of '%s'", ask->host);
	if (check_realm(ask, scheme, realm_host, err) < 0)
		return -1;
	return ask->credentials && ask->credentials->identity_token
		       ? refresh(ask, service, scope, authorization, err)
		       : get_token(ask, service, scope, authorization, err);
}

int login_answer(const struct conf *conf, const char *host, const char *account, const char *name,
		 const struct challenge *challenge, const struct patience *patience,
		 char **authorization, struct err *err)
{
	CLEANUP(clear) struct credentials credentials = {0};
	struct ask ask = {conf, host, account, name, challenge, NULL, patience};
	int found;

	if (challenge->scheme == CHALLENGE_NONE)
		return err_answer(err, EACCES,
				  "access to '%s/%s' denied, and '%s' does not say how to log in",
				  host, name, host);
	found = credentials_find(account, name, &credentials, err);
	if (found < 0)
		return -1;
	if (found > 0)
		ask.credentials = &credentials;
	if (challenge->scheme == CHALLENGE_BEARER)
		return bearer(&ask, authorization, err);
	if (!found || !credentials.user)
		return err_answer(err, EACCES,
				  "access to '%s/%s' denied: there are no credentials; log in with "
				  "docker, podman or skopeo login",
				  host, name);
	*authorization = basic(&credentials);
	return *authorization ? 0 : err_sys(err, "cannot log in to '%s'", host);
}
