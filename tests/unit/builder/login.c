/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* To which token servers a registry's credentials go. */
#include "builder/fetch/login.h"

#include "tests/unit/builder/small_server.h"
#include "tests/unit/tap.h"

static void a_realm_is_of_the_registrys_domain(void)
{
	ok(login_is_related("registry.example.org", "registry.example.org"), "the same host");
	ok(login_is_related("registry.example.org:5050", "Registry.Example.org"),
	   "on another port");
	ok(login_is_related("registry-1.docker.io", "auth.docker.io"), "a sibling");
	ok(login_is_related("registry.hub.docker.com", "auth.docker.io"),
	   "one owner's two domains");
	ok(login_is_related("example.org", "auth.example.org") &&
		   login_is_related("a.b.example.org", "example.org"),
	   "above and below");
	ok(login_is_related("registry.example.co.uk", "login.example.co.uk"),
	   "a domain of three labels");
	ok(login_is_related("127.0.0.1:5000", "localhost:5001"), "this machine");
}

static void others_are_not(void)
{
	ok(!login_is_related("registry.example.org", "registry.example.com"), "another top");
	ok(!login_is_related("registry.example.org", "example.org.evil.net"), "a domain in front");
	ok(!login_is_related("registry.example.org", "evilexample.org"), "a name that ends alike");
	ok(!login_is_related("good.co.uk", "evil.co.uk") &&
		   !login_is_related("a.good.com.au", "a.evil.com.au"),
	   "neighbours below a public name");
	ok(!login_is_related("registry", "gitlab") && login_is_related("registry", "registry:5000"),
	   "bare names");
	ok(!login_is_related("10.1.2.3", "9.1.2.3") &&
		   !login_is_related("[2001:db8::1]", "[2001:db8::2]"),
	   "addresses");
	ok(!login_is_related("docker.io", "docker.net") &&
		   !login_is_related("evil.net", "docker.com") && !login_is_related("", "a.org") &&
		   !login_is_related("a.org", ""),
	   "and odd ones");
	ok(!login_is_related("registry.example.org", "127.0.0.1"), "this machine for a stranger");
}

static char *answer(int number, const char *request)
{
	(void)number;
	(void)request;
	return small_server_say(
		"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"token\": \"abc\"}");
}

/* What is said when example.org, which has credentials, names server 0. */
static const char *log_in(struct conf *conf)
{
	static char text[600];
	struct challenge challenge = {.scheme = CHALLENGE_BEARER};
	auto_free char *authorization = NULL;
	struct err err = {0};

	(void)snprintf(challenge.realm, sizeof(challenge.realm), "http://127.0.0.1:%d/token",
		       small_server.port[0]);
	if (login_answer(conf, "example.org", "example.org", "a/b", &challenge, NULL,
			 &authorization, &err) == 0)
		(void)snprintf(text, sizeof(text), "%s", authorization);
	else
		(void)snprintf(text, sizeof(text), "%s", err.text);
	return text;
}

/* The site says that both may speak http, so that only the domain is in the way. */
static void nothing_is_sent_before_somebody_says_so(void)
{
	char folder[] = "/tmp/firn-unit-login.XXXXXX", path[100], line[300];
	struct conf *conf = conf_new();
	struct err err;
	FILE *file;

	if (!conf || !mkdtemp(folder))
		return;
	(void)snprintf(path, sizeof(path), "%s/config.json", folder);
	file = fopen(path, "w");
	(void)fputs("{\"auths\": {\"example.org\": {\"auth\": \"dTpw\"}}}", file);
	(void)fclose(file);
	(void)setenv("REGISTRY_AUTH_FILE", path, 1);
	(void)snprintf(line, sizeof(line), "%s/firn.conf", folder);
	file = fopen(line, "w");
	(void)fprintf(file,
		      "[registry \"example.org\"]\ninsecure = yes\n[registry "
		      "\"127.0.0.1:%d\"]\ninsecure = yes\n",
		      small_server.port[0]);
	(void)fclose(file);
	ok(conf_read_file(conf, line, geteuid() == 0, &err) == (geteuid() == 0 ? 0 : -1),
	   "the site's word is the site's");
	ok(strstr(log_in(conf), geteuid() == 0 ? "not of its domain" : "https only"),
	   "a token server elsewhere");
	ok(!*small_server_log(), "gets nothing");
	if (geteuid() == 0) {
		file = fopen(line, "a");
		(void)fprintf(file, "[registry \"example.org\"]\ntoken-server = 127.0.0.1:%d\n",
			      small_server.port[0]);
		(void)fclose(file);
		ok(conf_read_file(conf, line, true, &err) == 0, "unless firn.conf names it");
		is_str(log_in(conf), "Bearer abc", "then it is asked");
		ok(strstr(small_server_log(), "Authorization: Basic dTpw"), "with the credentials");
	}
	(void)unlink(path);
	(void)unlink(line);
	(void)rmdir(folder);
	conf_free(conf);
}

int main(void)
{
	a_realm_is_of_the_registrys_domain();
	others_are_not();
	if (!small_server_start(answer))
		return 1;
	nothing_is_sent_before_somebody_says_so();
	return done_testing();
}
