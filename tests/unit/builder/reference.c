/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/reference.h"
#include "lib/host.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define SUM "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct err err;

/* What @text means, as "host name tag digest" with - for what is not there; "refused". */
static const char *meaning(const char *text, const char *default_host)
{
	static char out[1024];
	auto_reference *reference = NULL;

	if (reference_parse(text, default_host, &reference, &err) < 0)
		return "refused";
	(void)snprintf(out, sizeof(out), "%s %s %s %s", reference->host, reference->name,
		       reference->tag ? reference->tag : "-",
		       reference->digest.text[0] ? reference->digest.text : "-");
	return out;
}

static void references_are_taken_apart(void)
{
	is_str(meaning("example.org/a", NULL), "example.org a latest -", "a host and a name");
	is_str(meaning("example.org:5000/a/b_c/d-e:1.0-x", NULL),
	       "example.org:5000 a/b_c/d-e 1.0-x -", "a port, groups and a tag");
	is_str(meaning("localhost/a", NULL), "localhost a latest -", "localhost is a host");
	is_str(meaning("host:1/a", NULL), "host:1 a latest -", "so is what has a port");
	is_str(meaning("[::1]:5000/a", NULL), "[::1]:5000 a latest -", "an IPv6 address");
	is_str(meaning("example.org/a@" SUM, NULL), "example.org a - " SUM, "a digest");
	is_str(meaning("example.org/a:2@" SUM, NULL), "example.org a 2 " SUM, "a tag and a digest");
	is_str(meaning("docker.io/debian", NULL), "docker.io library/debian latest -",
	       "Docker Hub's own images");
	is_str(meaning("docker.io/me/debian", NULL), "docker.io me/debian latest -", "and others'");
	is_str(meaning("group/a:1", "example.org"), "example.org group/a 1 -",
	       "a host that the site names");
	is_str(meaning("a__b/c---d.e", "h.x"), "h.x a__b/c---d.e latest -",
	       "separators inside of names");
}

static void what_is_none_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"a",
		"group/a",
		"example.org/",
		"example.org//a",
		"example.org/A",
		"example.org/a/",
		"example.org/-a",
		"example.org/a-",
		"example.org/a..b",
		"example.org/a___b",
		"example.org/a._b",
		"example.org/../a",
		"example.org/a:",
		"example.org/a:.b",
		"example.org/a:b/c",
		"example.org/a@sha256:12",
		"example.org/a@",
		"example.org/a@md5:0",
		"example.org/a@" SUM "0",
		"ex ample.org/a",
		"example.org:0/a",
		"example.org:99999/a",
		"example.org:x/a",
		"-x.org/a",
		"a..b/c",
		"[::1/a",
		"[]:1/a",
		"[zz]:1/a",
		"example.org/a b",
		"example.org/a\n",
		"example.org/a?x=1",
		"user@example.org/a",
		"https://example.org/a",
		"example.org/\303\244",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(strcmp(meaning(bad[i], NULL), "refused") == 0, "'%s' is refused", bad[i]);
}

static void lengths_are_bounded(void)
{
	char text[600] = "example.org/";
	size_t len = strlen(text);

	memset(text + len, 'a', 255);
	ok(strcmp(meaning(text, NULL), "refused") != 0, "a name of 255 bytes");
	text[len + 255] = 'a';
	is_str(meaning(text, NULL), "refused", "but not of 256");
	memset(text, 0, sizeof(text));
	(void)snprintf(text, sizeof(text), "example.org/a:%0128d", 0);
	ok(strcmp(meaning(text, NULL), "refused") != 0, "a tag of 128 bytes");
	(void)snprintf(text, sizeof(text), "example.org/a:%0129d", 0);
	is_str(meaning(text, NULL), "refused", "but not of 129");
}

static void this_machine_is_known(void)
{
	ok(host_is_loopback("localhost") && host_is_loopback("localhost:5000"), "localhost");
	ok(host_is_loopback("127.0.0.1:1") && host_is_loopback("127.9.9.9"), "127.x.x.x");
	ok(host_is_loopback("[::1]:5000") && host_is_loopback("[::1]"), "[::1]");
	ok(!host_is_loopback("localhost.example.org") && !host_is_loopback("127.example.org") &&
		   !host_is_loopback("127.0.0.1.example.org") && !host_is_loopback("1127.0.0.1") &&
		   !host_is_loopback(""),
	   "names that begin like it are not");
}

int main(void)
{
	references_are_taken_apart();
	what_is_none_is_refused();
	lengths_are_bounded();
	this_machine_is_known();
	return done_testing();
}
