/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what users and registries say in words: references,
 * challenges, credentials, files of short names. The first byte chooses.
 */
#include "builder/fetch/challenge.h"
#include "builder/fetch/credentials.h"
#include "builder/fetch/reference.h"
#include "builder/fetch/registries_conf.h"
#include "lib/host.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken means the same when it is written and read again. */
static void check_reference(const char *text)
{
	auto_reference *one = NULL, *two = NULL;
	auto_free char *again = NULL;
	struct err err;

	if (reference_parse(text, "example.org", &one, &err) < 0)
		return;
	if (asprintf(&again, "%s/%s%s%s%s%s", one->host, one->name, one->tag ? ":" : "",
		     one->tag ? one->tag : "", one->digest.text[0] ? "@" : "",
		     one->digest.text) < 0)
		return;
	if (strpbrk(one->name, "?#% \n") || (one->host[0] != '[' && !strpbrk(one->host, ".:") &&
	    strcmp(one->host, "localhost") != 0))
		abort();
	if (reference_parse(again, NULL, &two, &err) < 0 || strcmp(one->name, two->name) != 0 ||
	    strcmp(one->host, two->host) != 0)
		abort();
	(void)host_is_loopback(text);
}

static void check_challenge(const char *text)
{
	struct challenge challenge = {0};

	challenge_take(&challenge, text);
	if (strlen(challenge.realm) >= CHALLENGE_TEXT_SIZE ||
	    strlen(challenge.service) >= CHALLENGE_TEXT_SIZE || strpbrk(challenge.realm, "\r\n") ||
	    strpbrk(challenge.scope, "\r\n") ||
	    (challenge.scheme == CHALLENGE_BEARER && !challenge.realm[0]))
		abort();
}

/* What was taken is named, and is found again; what follows it is read as if it stood alone. */
static void check_names(const char *text)
{
	static const char more[] = "[aliases]\n'x/y' = 'a.b/c'\n";
	auto_registries_conf conf = {0};
	struct err err = {.text = ""};
	int result = registries_conf_take(&conf, text, strlen(text), "file", &err);

	if (result < 0 && !err.text[0])
		abort();
	if (result < 0)
		return;
	for (size_t i = 0; i < conf.alias_count; i++)
		if (!conf.alias[i].name || !conf.alias[i].target || !conf.alias[i].path ||
		    !registries_conf_alias(&conf, conf.alias[i].name) == !!conf.alias[i].target[0])
			abort(); /* a file has a name once */
	for (size_t i = 0; i < conf.host_count; i++)
		if (!conf.host[i])
			abort();
	if ((conf.host_count > 0 && !conf.hosts_path) ||
	    registries_conf_take(&conf, more, strlen(more), "other", &err) < 0 ||
	    !registries_conf_alias(&conf, "x/y"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credentials credentials = {0};
	char *text = size > 0 ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!text)
		return 0;
	if (data[0] % 4 == 0)
		check_reference(text);
	else if (data[0] % 4 == 1)
		check_challenge(text);
	else if (data[0] % 4 == 3)
		check_names(text);
	else
		(void)credentials_decode(text, &credentials);
	credentials_clear(&credentials);
	free(text);
	return 0;
}
