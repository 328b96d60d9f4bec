/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/url.h"

#include "tests/unit/tap.h"

static struct err err;

static void splits(const char *url, const char *wanted_scheme, const char *wanted_host)
{
	auto_free char *scheme = NULL, *host = NULL;

	ok(url_split(url, &scheme, &host, &err) == 0, "'%s'", url);
	is_str(scheme, wanted_scheme, "its scheme");
	is_str(host, wanted_host, "its host and port");
}

static void addresses_are_taken_apart(void)
{
	char *scheme = (char *)"", *host = (char *)"";

	splits("https://example.org/v2/", "https", "example.org");
	splits("HTTP://Example.org:5000", "http", "Example.org:5000");
	splits("https://user:secret@[::1]:8443/x?y#z", "https", "[::1]:8443");
	ok(url_split("no address", &scheme, &host, &err) == -1 && !scheme && !host,
	   "what is none is an error");
	ok(strstr(err.text, "'no address'") != NULL, "that names it");
}

static void leads(const char *base, const char *location, const char *wanted)
{
	auto_free char *to = url_resolve(base, location);

	is_str(to, wanted, location);
}

static void a_location_is_seen_from_where_it_stands(void)
{
	leads("https://a/v2/b/blobs/c", "https://d/e?f=g", "https://d/e?f=g");
	leads("https://a/v2/b/blobs/c", "/e", "https://a/e");
	leads("https://a/v2/b/blobs/c", "e", "https://a/v2/b/blobs/e");
	leads("https://a:5000/v2/", "//d/e", "https://d/e");
	ok(url_resolve("https://a/", "http://[") == NULL, "nowhere");
}

static void plain_http_is_for_this_machine_and_who_is_named(void)
{
	struct conf_registry registry = {.host = (char *)"lab:5000", .insecure = true};
	struct conf conf = {.registry = &registry, .registry_count = 1};

	ok(url_may_be_plain(&conf, "localhost:5000") && url_may_be_plain(&conf, "127.0.0.1"),
	   "this machine");
	ok(url_may_be_plain(&conf, "lab:5000") && !url_may_be_plain(&conf, "lab"),
	   "who the site names, with its port");
	ok(!url_may_be_plain(&conf, "example.org"), "nobody else");
	ok(url_may_lead(&conf, "example.org", "lab:5000"), "to whom the site names anybody leads");
	ok(url_may_lead(&conf, "localhost", "127.0.0.1:5001") &&
		   !url_may_lead(&conf, "example.org", "127.0.0.1:5001"),
	   "to this machine's own no stranger");
}

static void text_becomes_a_part_of_a_query(void)
{
	auto_free char *text = url_escape("a b&c=d/\xc3\xa4");

	is_str(text, "a%20b%26c%3Dd%2F%C3%A4", "all that could be taken for more than text");
}

int main(void)
{
	addresses_are_taken_apart();
	a_location_is_seen_from_where_it_stands();
	plain_http_is_for_this_machine_and_who_is_named();
	text_becomes_a_part_of_a_query();
	return done_testing();
}
