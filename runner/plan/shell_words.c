/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/shell_env_private.h"

#include <stdint.h>

struct buffer {
	char *text; /* NUL-terminated; NULL: empty yet */
	size_t len, room;
};

static void put(struct shell_reader *reader, struct buffer *buffer, const char *text, size_t len)
{
	if (len > SHELL_ENV_VALUE_MAX - buffer->len) {
		shell_stop(reader,
			   NEEDS_SHELL); /* which will say that it is too long, as execve(2) does */
		return;
	}
	if (buffer->len + len + 1 > buffer->room) {
		size_t room = 2 * (buffer->len + len) + 64;
		char *grown = realloc(buffer->text, room);

		if (!grown) {
			shell_stop(reader, NO_MEMORY);
			return;
		}
		buffer->text = grown;
		buffer->room = room;
	}
	memcpy(buffer->text + buffer->len, text, len);
	buffer->len += len;
	buffer->text[buffer->len] = '\0';
}

static void put_char(struct shell_reader *reader, struct buffer *buffer, char c)
{
	put(reader, buffer, &c, 1);
}

static void read_single(struct shell_reader *reader, struct buffer *out)
{
	const char *end = strchr(reader->at + 1, '\'');

	if (!end) {
		shell_stop(reader, NEEDS_SHELL);
		return;
	}
	put(reader, out, reader->at + 1, (size_t)(end - reader->at - 1));
	reader->at = end + 1;
}

/* A number of at most @digits digits of @base. */
static unsigned read_number(const char **at, int digits, unsigned base)
{
	unsigned value = 0;

	for (; digits > 0; digits--, (*at)++) {
		static const char all[] = "0123456789abcdef";
		const char *digit = **at ? strchr(all, **at | (**at >= 'A' ? 0x20 : 0)) : NULL;

		if (!digit || (unsigned)(digit - all) >= base)
			break;
		value = value * base + (unsigned)(digit - all);
	}
	return value;
}

/* $'...', in which a shell writes what no other quotes can hold. */
static void read_ansi(struct shell_reader *reader, struct buffer *out)
{
	static const char names[] = "abefnrtvE\\'\"?";
	static const char values[] = "\a\b\033\f\n\r\t\v\033\\'\"?";
	const char *at = reader->at + 2;

	while (*at && *at != '\'') {
		const char *known;
		unsigned byte;

		if (*at != '\\') {
			put_char(reader, out, *at++);
			continue;
		}
		at++;
		known = *at ? strchr(names, *at) : NULL;
		if (known) {
			put_char(reader, out, values[known - names]);
			at++;
			continue;
		}
		if (*at == 'x') {
			at++;
			byte = read_number(&at, 2, 16);
		} else {
			byte = read_number(&at, 3, 8);
		}
		if (byte == 0 || byte > UINT8_MAX) {
			shell_stop(reader, NEEDS_SHELL);
			return;
		}
		put_char(reader, out, (char)byte);
	}
	if (*at == '\0')
		shell_stop(reader, NEEDS_SHELL);
	else
		reader->at = at + 1;
}

/* Pass over (...) or `...`, of which nothing is wanted. Quotes in it are minded, little else. */
static void skip_substitution(struct shell_reader *reader, char end)
{
	unsigned depth = 0;

	for (char c; (c = *reader->at) != '\0'; reader->at++) {
		if (c == '\\' && reader->at[1]) {
			reader->at++;
		} else if (c == '\'' && strchr(reader->at + 1, '\'')) {
			reader->at = strchr(reader->at + 1, '\'');
		} else if (c == end && (end == '`' || --depth == 0)) {
			reader->at++;
			return;
		} else if (c == '(' && end == ')') {
			depth++;
		}
	}
	shell_stop(reader, NEEDS_SHELL);
}

/* @word is the one around, NULL inside double quotes. */
static void read_expansion(struct shell_reader *reader, struct shell_word *word, struct buffer *out,
			   bool active);

/* At a '`'. */
static void read_backquotes(struct shell_reader *reader, bool active)
{
	if (active)
		shell_stop(reader, NEEDS_SHELL);
	reader->at++;
	skip_substitution(reader, '`');
}

/* Inside double quotes, up to @end: '"', or '}' for the word of ${NAME:-WORD}. */
static void read_quoted(struct shell_reader *reader, struct buffer *out, char end, bool active)
{
	while (!shell_stopped(reader) && *reader->at != end) {
		char c = *reader->at;

		if (c == '\0') {
			shell_stop(reader, NEEDS_SHELL);
		} else if (c == '\\' && reader->at[1] == '\n') {
			reader->at += 2;
		} else if (c == '\\' && reader->at[1] && strchr("$`\"\\}", reader->at[1]) &&
			   (reader->at[1] != '}' || end == '}')) {
			put_char(reader, out, reader->at[1]);
			reader->at += 2;
		} else if (c == '$') {
			read_expansion(reader, NULL, out, active);
		} else if (c == '`') {
			read_backquotes(reader, active);
		} else if (c == '"') { /* the word of an expansion may have quotes of its own */
			reader->at++;
			read_quoted(reader, out, '"', active);
		} else {
			put_char(reader, out, c);
			reader->at++;
		}
	}
	if (!shell_stopped(reader))
		reader->at++;
}

static void read_plain(struct shell_reader *reader, struct shell_word *word, struct buffer *out)
{
	char c = *reader->at;
	char before = out->len > 0 ? out->text[out->len - 1] : '\0';

	if (c == '=' && word->name_len == 0 && !word->quoted && !word->expanded && out->len > 0 &&
	    shell_name_length(out->text) == out->len)
		word->name_len = out->len;
	if (c == '~' && (out->len == 0 || (word->name_len > 0 && (before == '=' || before == ':'))))
		word->special = true;
	if (strchr("*?[{", c) && word->name_len == 0)
		word->special = true;
	put_char(reader, out, c);
	reader->at++;
}

/* What stands outside of double quotes: a character, or all between a pair of quotes. */
static void read_piece(struct shell_reader *reader, struct shell_word *word, struct buffer *out,
		       bool active)
{
	char c = *reader->at, next = reader->at[1];

	if (c == '\'' || c == '"' || (c == '$' && next == '\'') ||
	    (c == '\\' && next && next != '\n'))
		word->quoted = true;
	if (c == '\\' && next == '\n') {
		reader->at += 2;
	} else if (c == '\\' && next) {
		put_char(reader, out, next);
		reader->at += 2;
	} else if (c == '\'') {
		read_single(reader, out);
	} else if (c == '"') {
		reader->at++;
		read_quoted(reader, out, '"', active);
	} else if (c == '$' && (next == '\'' || next == '"')) {
		/* The one means this here and that there, the other a translation. */
		if (next == '"' || !reader->answer)
			shell_stop(reader, NEEDS_SHELL);
		else
			read_ansi(reader, out);
	} else if (c == '$') {
		read_expansion(reader, word, out, active);
	} else if (c == '`') {
		read_backquotes(reader, active);
	} else {
		read_plain(reader, word, out);
	}
}

/* The word of ${NAME:-WORD} outside of double quotes, up to its '}'. */
static void read_inner(struct shell_reader *reader, struct shell_word *word, struct buffer *out,
		       bool active)
{
	struct shell_word inner = {0};

	while (!shell_stopped(reader) && *reader->at != '}') {
		if (*reader->at == '\0' || (*reader->at == '~' && active))
			shell_stop(reader, NEEDS_SHELL);
		else
			read_piece(reader, &inner, out, active);
	}
	if (!shell_stopped(reader))
		reader->at++;
	/* Which part of the result was quoted is not known any more. */
	word->splits |= inner.quoted;
}

/* ${NAME}, or with an operator and a word. At the brace. */
static void read_braces(struct shell_reader *reader, struct shell_word *word, struct buffer *out,
			bool active)
{
	const char *name = reader->at + 1;
	size_t len = shell_name_length(name);
	const struct shell_variable *variable = len ? shell_find(reader->env, name, len) : NULL;
	const char *value = variable ? variable->value : NULL;
	bool colon = name[len] == ':';
	char operation = name[len + colon];
	struct buffer other = {0};
	bool has, taken;

	if (active && !shell_is_plain(name, len, value))
		shell_stop(reader, NEEDS_SHELL);
	if (len > 0 && operation == '}' && !colon) {
		if (active && value)
			put(reader, out, value, strlen(value));
		reader->at = name + len + 1;
		return;
	}
	if (len == 0 || operation == '\0' || !strchr("-+=", operation) ||
	    reader->depth >= SHELL_ENV_DEPTH_MAX) {
		shell_stop(reader, NEEDS_SHELL);
		return;
	}
	has = value && (!colon || *value);
	taken = active && (operation == '+' ? has : !has);
	reader->at = name + len + colon + 1;
	reader->depth++;
	if (word)
		read_inner(reader, word, &other, taken);
	else
		read_quoted(reader, &other, '}', taken);
	reader->depth--;
	if (active && !shell_stopped(reader)) {
		const char *text = other.text ? other.text : "";

		if (operation == '=' && !has && shell_set(reader->env, name, len, text, false) < 0)
			shell_stop(reader, NO_MEMORY);
		if (taken)
			put(reader, out, text, strlen(text));
		else if (has)
			put(reader, out, value, operation == '+' ? 0 : strlen(value));
	}
	free(other.text);
}

/* At a '$'. */
static void read_expansion(struct shell_reader *reader, struct shell_word *word, struct buffer *out,
			   bool active)
{
	const char *name = reader->at + 1;
	size_t len = shell_name_length(name), before = out->len;
	const struct shell_variable *variable;

	/* A name, or a brace, may go on in the next line. */
	if (name[len] == '\\' && name[len + 1] == '\n')
		shell_stop(reader, NEEDS_SHELL);
	if (*name == '{') {
		reader->at++;
		read_braces(reader, word, out, active);
	} else if (*name == '(') {
		if (active)
			shell_stop(reader, NEEDS_SHELL);
		reader->at++;
		skip_substitution(reader, ')');
	} else if (len > 0) {
		variable = shell_find(reader->env, name, len);
		if (active && !shell_is_plain(name, len, variable && variable->value))
			shell_stop(reader, NEEDS_SHELL);
		if (active && variable && variable->value)
			put(reader, out, variable->value, strlen(variable->value));
		reader->at = name + len;
	} else if (*name && strchr("@*#?-$!0123456789", *name)) {
		if (active)
			shell_stop(reader, NEEDS_SHELL);
		reader->at += 2;
	} else {
		put_char(reader, out, '$');
		reader->at++;
	}
	if (word) {
		word->expanded = true;
		if (out->len > before && strpbrk(out->text + before, " \t\n*?["))
			word->splits = true;
	}
}

bool shell_ends_word(char c)
{
	return c == '\0' || strchr(" \t\n;&|<>()", c);
}

/* A word, at its first byte. */
void shell_read_word(struct shell_reader *reader, struct shell_word *word, bool active)
{
	struct buffer out = {0};

	*word = (struct shell_word){0};
	while (!shell_stopped(reader) && !shell_ends_word(*reader->at))
		read_piece(reader, word, &out, active);
	if (!out.text)
		put(reader, &out, "", 0);
	word->text = out.text;
}

void shell_skip_blanks(struct shell_reader *reader)
{
	for (;;) {
		if (*reader->at == ' ' || *reader->at == '\t')
			reader->at++;
		else if (reader->at[0] == '\\' && reader->at[1] == '\n')
			reader->at += 2;
		else if (*reader->at == '#')
			reader->at += strcspn(reader->at, "\n");
		else
			return;
	}
}

/* Blanks, comments and ends of lines. */
void shell_skip_lines(struct shell_reader *reader)
{
	for (shell_skip_blanks(reader); *reader->at == '\n'; shell_skip_blanks(reader))
		reader->at++;
}
