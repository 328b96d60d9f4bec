/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/challenge.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct challenge challenge;

/* Take one header after the others; says what is known now. */
static const char *after(const char *header)
{
	static const char *const names[] = {"none", "basic", "bearer"};
	static char out[4 * CHALLENGE_TEXT_SIZE];

	challenge_take(&challenge, header);
	(void)snprintf(out, sizeof(out), "%s|%s|%s|%s", names[challenge.scheme], challenge.realm,
		       challenge.service, challenge.scope);
	return out;
}

static const char *alone(const char *header)
{
	challenge = (struct challenge){0};
	return after(header);
}

static void challenges_are_read(void)
{
	is_str(alone("Basic realm=\"a b\""), "basic|a b||", "Basic");
	is_str(alone("Bearer realm=\"https://t/x\",service=\"s\",scope=\"repository:a/b:pull\""),
	       "bearer|https://t/x|s|repository:a/b:pull", "Bearer");
	is_str(alone("bEARER  REALM = \"r\" , Service=s"), "bearer|r|s|",
	       "any case, blanks, tokens as values");
	is_str(alone("Bearer scope=\"x\",realm=\"a\\\"b\\\\c\""), "bearer|a\"b\\c||x",
	       "quoted pairs");
	is_str(alone("Bearer realm=\"r\",error=\"invalid_token\",other=1"), "bearer|r||",
	       "unknown parameters are skipped");
}

static void the_best_one_counts(void)
{
	is_str(alone("Basic realm=\"b\", Bearer realm=\"r\",service=\"s\""), "bearer|r|s|",
	       "Bearer behind Basic");
	is_str(alone("Bearer realm=\"r\", Basic realm=\"b\""), "bearer|r||", "Bearer before Basic");
	is_str(alone("Negotiate, Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\""), "basic|b||",
	       "behind others");
	(void)alone("Basic realm=\"b\"");
	is_str(after("Bearer realm=\"r\""), "bearer|r||", "in a header of its own");
	is_str(after("Basic realm=\"b\""), "bearer|r||", "whatever follows");
	is_str(alone("Bearer service=\"s\", Basic realm=\"b\""), "basic|b||",
	       "Bearer without a realm is none");
}

static void what_cannot_be_read_is_none(void)
{
	static const char *const bad[] = {
		"",
		" ",
		",,,",
		"=",
		"Bearer",
		"Bearer realm",
		"Bearer realm=",
		"Bearer realm=\"",
		"Bearer realm=\"abc",
		"Bearer realm=\"abc\\",
		"Bearer realm=\"a\x01"
		"b\"",
		"\"Bearer\" realm=\"r\"",
		"Bearer =\"r\"",
	};
	char wide[3000];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(strncmp(alone(bad[i]), "none", 4) == 0, "'%s'", bad[i]);
	(void)snprintf(wide, sizeof(wide), "Bearer realm=\"%02000d\"", 0);
	ok(strncmp(alone(wide), "none", 4) == 0, "a realm of 2000 bytes");
	(void)snprintf(wide, sizeof(wide), "Bearer realm=\"r\",scope=\"%02000d\"", 0);
	is_str(alone(wide), "bearer|r||", "a scope of 2000 bytes is as if it were not said");
}

int main(void)
{
	challenges_are_read();
	the_best_one_counts();
	what_cannot_be_read_is_none();
	return done_testing();
}
