/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/challenge.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2: what a token consists of. */
static const char token_characters[] =
	"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct word {
	const char *text;
	size_t len;
};

static void skip(const char **at, const char *characters)
{
	*at += strspn(*at, characters);
}

static bool take_token(const char **at, struct word *out)
{
	out->text = *at;
	out->len = strspn(*at, token_characters);
	*at += out->len;
	return out->len > 0;
}

/* A token or a "quoted \"string\"" into @out; one that is too long leaves it empty. -1: neither. */
static int take_value(const char **at, char out[CHALLENGE_TEXT_SIZE])
{
	struct word word;
	size_t used = 0;

	out[0] = 0;
	if (**at != '"') {
		if (!take_token(at, &word))
			return -1;
		if (word.len < CHALLENGE_TEXT_SIZE) {
			memcpy(out, word.text, word.len);
			out[word.len] = 0;
		}
		return 0;
	}
	for (++*at; **at != '"'; ++*at) {
		if (**at == '\\')
			++*at;
		if (!**at)
			return -1;
		if ((unsigned char)**at < ' ' ||
		    **at == 127) /* nothing of this belongs in a URL or a header */
			used = CHALLENGE_TEXT_SIZE;
		if (used < CHALLENGE_TEXT_SIZE)
			out[used++] = **at;
	}
	++*at;
	if (used < CHALLENGE_TEXT_SIZE)
		out[used] = 0;
	else
		out[0] = 0;
	return 0;
}

static bool word_is(const struct word *word, const char *text)
{
	return strlen(text) == word->len && strncasecmp(word->text, text, word->len) == 0;
}

/* NAME=VALUE pairs up to the next scheme. -1 for what cannot be read. */
static int take_parameters(const char **at, struct challenge *challenge)
{
	char value[CHALLENGE_TEXT_SIZE];

	for (;;) {
		const char *begin;
		struct word name;

		skip(at, " \t,");
		begin = *at;
		if (!**at)
			return 0;
		if (!take_token(at, &name))
			return -1;
		skip(at, " \t");
		if (**at != '=') { /* a scheme: the next challenge begins */
			*at = begin;
			return 0;
		}
		++*at;
		skip(at, " \t");
		if (take_value(at, value) < 0)
			return -1;
		if (word_is(&name, "realm"))
			memcpy(challenge->realm, value, sizeof(value));
		else if (word_is(&name, "service"))
			memcpy(challenge->service, value, sizeof(value));
		else if (word_is(&name, "scope"))
			memcpy(challenge->scope, value, sizeof(value));
	}
}

void challenge_take(struct challenge *challenge, const char *header)
{
	for (;;) {
		struct challenge one = {0};
		struct word scheme;

		skip(&header, " \t,");
		if (!take_token(&header, &scheme))
			return;
		one.scheme = word_is(&scheme, "Bearer") ? CHALLENGE_BEARER :
			     word_is(&scheme, "Basic")  ? CHALLENGE_BASIC : CHALLENGE_NONE;
		if (take_parameters(&header, &one) < 0)
			return;
		if (one.scheme == CHALLENGE_BEARER && !one.realm[0])
			continue;
		if (one.scheme > challenge->scheme)
			*challenge = one;
	}
}
