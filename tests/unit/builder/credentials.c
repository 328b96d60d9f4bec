/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/credentials.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static struct err err;
static char path[64];

static void say(const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(2);
}

/* Who the user is: "user:password:token", "none" or "error". */
static const char *who(const char *host, const char *name)
{
	static char out[256];
	struct credentials found;
	int result = credentials_find(host, name, &found, &err);

	if (result <= 0)
		return result < 0 ? "error" : "none";
	(void)snprintf(out, sizeof(out), "%s:%s:%s", found.user ? found.user : "",
		       found.password ? found.password : "",
		       found.identity_token ? found.identity_token : "");
	credentials_clear(&found);
	return out;
}

static void entries_are_found(void)
{
	say("{\"auths\": {\"a.org\": {\"auth\": \"dTpw\"}, \"b.org:1\": {\"username\": \"x\", "
	    "\"password\": \"y:z\"},"
	    "\"https://c.org\": {\"auth\": \"dTpjOmQ=\"}, \"a.org/g\": {\"auth\": \"ZzpwPQ==\"}, "
	    "\"d.org\": {},"
	    "\"e.org\": {\"auth\": \"dTo=\", \"identitytoken\": \"T\"},"
	    "\"https://index.docker.io/v1/\": {\"auth\": \"aDpi\"}}, \"HttpHeaders\": {\"x\": 1}}");
	is_str(who("a.org", "n"), "u:p:", "a host");
	is_str(who("a.org", "g/n"), "g:p=:", "a group goes before its host");
	is_str(who("a.org", "gg/n"), "u:p:", "but only a whole one");
	is_str(who("b.org:1", "n"), "x:y:z:", "in clear");
	is_str(who("b.org", "n"), "none", "a port is part of the host");
	is_str(who("c.org", "n"), "u:c:d:", "a URL; a password may have a colon");
	is_str(who("d.org", "n"), "none", "an empty entry");
	is_str(who("e.org", "n"), "u::T", "an identity token");
	is_str(who("docker.io", "library/n"), "h:b:", "Docker Hub under its old name");
	is_str(who("f.org", "n"), "none", "no entry");
}

static void damage_is_told_without_secrets(void)
{
	say("{\"auths\": {\"a.org\": {\"auth\": \"SECRET!!\"}}}");
	is_str(who("a.org", "n"), "error", "what is no base64");
	ok(!strstr(err.text, "SECRET"), "is not repeated");
	say("{\"auths\": {\"a.org\": {\"auth\": \"bm9jb2xvbg==\"}}}");
	is_str(who("a.org", "n"), "error", "no colon");
	say("{\"auths\": {\"a.org\": {\"auth\": \"dTpw\"}}, SECRET");
	is_str(who("a.org", "n"), "error", "what is no JSON");
	ok(!strstr(err.text, "SECRET"), "is not repeated, either");
	say("[]");
	is_str(who("a.org", "n"), "error", "no object");
	say("{\"auths\": 7, \"credHelpers\": [], \"credsStore\": {}}");
	is_str(who("a.org", "n"), "none", "sections of another type");
	say("{\"credHelpers\": {\"a.org\": \"../x\"}}");
	is_str(who("a.org", "n"), "error", "a helper that is a path");
	(void)setenv("REGISTRY_AUTH_FILE", "/dev/zero", 1);
	is_str(who("a.org", "n"), "error", "a device");
	(void)setenv("REGISTRY_AUTH_FILE", "/nonexistent/auth.json", 1);
	is_str(who("a.org", "n"), "none", "no file");
}

static void pairs_are_decoded(void)
{
	static const char *const bad[] = {"",	    "=",	"====",		"dTp",
					  "dTpw\n", "dTpw====", "e===",		"e=======",
					  "=dTp",   "d*pw",	"bm9jb2xvbg==", "dTpwAA==",
					  "AAAA"};
	struct credentials found = {0};

	ok(credentials_decode("dXNlcjpwYXNz", &found) == 0 && strcmp(found.user, "user") == 0 &&
		   strcmp(found.password, "pass") == 0, "user:pass");
	credentials_clear(&found);
	ok(!found.user && !found.password, "and forgotten");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ok(credentials_decode(bad[i], &found) < 0, "'%s' is refused", bad[i]);
		credentials_clear(&found);
	}
}

int main(void)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	(void)snprintf(path, sizeof(path), "%.40s/firn-auth.XXXXXX",
		       folder && *folder ? folder : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		return 2;
	(void)close(fd);
	(void)unsetenv("HOME");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)setenv("REGISTRY_AUTH_FILE", path, 1);
	pairs_are_decoded();
	entries_are_found();
	damage_is_told_without_secrets();
	(void)unlink(path);
	return done_testing();
}
