/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/toml.h"

#include <ctype.h>
#include <string.h>

int toml_wrong(const struct toml *toml, const char *what, struct err *err)
{
	return err_set(err, "'%s' line %d: %s", toml->path, toml->line, what);
}

void toml_skip_blanks(struct toml *toml)
{
	toml->at += strspn(toml->at, " \t\r");
	if (*toml->at == '#')
		toml->at += strcspn(toml->at, "\n");
}

void toml_skip_lines(struct toml *toml)
{
	for (toml_skip_blanks(toml); *toml->at == '\n'; toml_skip_blanks(toml)) {
		toml->at++;
		toml->line++;
	}
}

int toml_end_line(struct toml *toml, struct err *err)
{
	toml_skip_blanks(toml);
	return !*toml->at || *toml->at == '\n' ? 0 : toml_wrong(toml, "the line does not end", err);
}

static int add_byte(struct toml *toml, char *out, size_t *len, char byte, struct err *err)
{
	if (*len + 1 >= TOML_WORD_MAX)
		return toml_wrong(toml, "a word is too long", err);
	out[(*len)++] = byte;
	out[*len] = '\0';
	return 0;
}

/* The byte that a backslash and @letter stand for; none of what names are made of needs others. */
static char unescape(char letter)
{
	static const char from[] = "\"\\/btnfr", to[] = "\"\\/\b\t\n\f\r";
	const char *found = letter ? strchr(from, letter) : NULL;

	return found ? to[found - from] : '\0';
}

/* "..." with escapes or '...' without, behind what is in @out already. */
int toml_read_string(struct toml *toml, char *out, size_t *len, struct err *err)
{
	char quote = *toml->at++;

	if (toml->at[0] == quote && toml->at[1] == quote)
		return toml_wrong(toml, "a string of several lines is not understood", err);
	for (; *toml->at != quote; toml->at++) {
		char byte = *toml->at;

		if (byte == '\0' || byte == '\n')
			return toml_wrong(toml, "a string does not end", err);
		if (iscntrl((unsigned char)byte) && byte != '\t')
			return toml_wrong(toml, "a string has a control character", err);
		if (byte == '\\' && quote == '"') {
			byte = unescape(*++toml->at);
			if (!byte)
				return toml_wrong(toml, "an escape in a string is not understood",
						  err);
		}
		if (add_byte(toml, out, len, byte, err) < 0)
			return -1;
	}
	toml->at++;
	return 0;
}

/* A key or the name of a table, bare, quoted or dotted, to the end of toml->key. */
int toml_read_key(struct toml *toml, struct err *err)
{
	for (;;) {
		bool quoted = *toml->at == '"' || *toml->at == '\'';
		size_t before;

		if (toml->key_len > 0 &&
		    add_byte(toml, toml->key, &toml->key_len, TOML_DOT, err) < 0)
			return -1;
		before = toml->key_len;
		if (quoted && toml_read_string(toml, toml->key, &toml->key_len, err) < 0)
			return -1;
		for (; !quoted && (isalnum((unsigned char)*toml->at) ||
				   (*toml->at && strchr("_-", *toml->at)));
		     toml->at++)
			if (add_byte(toml, toml->key, &toml->key_len, *toml->at, err) < 0)
				return -1;
		if (toml->key_len == before)
			return toml_wrong(toml, "a key is missing", err);
		toml_skip_blanks(toml);
		if (*toml->at != '.')
			return 0;
		toml->at++;
		toml_skip_blanks(toml);
	}
}

void toml_cut_key(struct toml *toml, size_t len)
{
	toml->key[len] = '\0';
	toml->key_len = len;
}

int toml_skip_string(struct toml *toml, struct err *err)
{
	char quote = *toml->at;
	const char end[] = {quote, quote, quote, '\0'};
	bool is_long = strncmp(toml->at, end, 3) == 0;
	size_t len = is_long ? 3 : 1;

	for (toml->at += len; strncmp(toml->at, end, len) != 0; toml->at++) {
		if (*toml->at == '\\' && quote == '"' &&
		    (toml->at[1] == '\\' || toml->at[1] == quote))
			toml->at++;
		if (!*toml->at || (*toml->at == '\n' && !is_long))
			return toml_wrong(toml, "a string does not end", err);
		if (iscntrl((unsigned char)*toml->at) && !strchr("\t\r\n", *toml->at))
			return toml_wrong(toml, "a string has a control character", err);
		toml->line += *toml->at == '\n';
	}
	toml->at += len;
	/* Up to two quotes may stand before the three. */
	for (int more = 0; is_long && more < 2 && *toml->at == quote; more++)
		toml->at++;
	return 0;
}
