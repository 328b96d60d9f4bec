/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/shell_env_private.h"

enum { WORDS_MAX = 128 };

struct shell_command {
	struct shell_word word[WORDS_MAX];
	size_t count;
};

static void clear_command(struct shell_command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->word[i].text);
	command->count = 0;
}

/* NAME=VALUE: done at once, as later words of the command may use it. */
static void assign(struct shell_reader *reader, const struct shell_word *word, bool export)
{
	if (!reader->answer && !shell_is_plain(word->text, word->name_len, true))
		shell_stop(reader, NEEDS_SHELL);
	if (shell_set(reader->env, word->text, word->name_len, word->text + word->name_len + 1,
		      export) < 0)
		shell_stop(reader, NO_MEMORY);
}

/*
 * A simple command up to what ends it. What leads it is assigned while it is read; whether a
 * command follows, for which alone that would hold, is seen by the caller.
 */
static void read_simple(struct shell_reader *reader, struct shell_command *command, bool active)
{
	bool leads = true;

	command->count = 0;
	for (shell_skip_blanks(reader); !shell_stopped(reader) && !shell_ends_word(*reader->at);
	     shell_skip_blanks(reader)) {
		struct shell_word *word = &command->word[command->count];

		if (command->count == WORDS_MAX) {
			shell_stop(reader, NEEDS_SHELL);
			return;
		}
		shell_read_word(reader, word, active);
		command->count++;
		leads = leads && word->name_len > 0;
		if (!active || shell_stopped(reader))
			continue;
		if (word->special) {
			/* "[" is a command; in a value only a tilde is special. */
			if (strcmp(word->text, "[") != 0)
				shell_stop(reader, NEEDS_SHELL);
		} else if (leads) {
			assign(reader, word, false);
		}
	}
}

static bool is_word(const struct shell_command *command, const char *text)
{
	return command->count > 0 && !command->word[0].quoted && !command->word[0].expanded &&
	       strcmp(command->word[0].text, text) == 0;
}

static void export_name(struct shell_reader *reader, const char *name)
{
	if (shell_set(reader->env, name, strlen(name), NULL, true) < 0)
		shell_stop(reader, NO_MEMORY);
}

static void run_export(struct shell_reader *reader, const struct shell_command *command)
{
	for (size_t i = 1; i < command->count; i++) {
		const struct shell_word *word = &command->word[i];

		if (word->name_len > 0)
			assign(reader, word, true);
		else if (*word->text && shell_name_length(word->text) == strlen(word->text))
			export_name(reader, word->text);
		else
			shell_stop(reader, NEEDS_SHELL);
	}
}

static void run_unset(struct shell_reader *reader, const struct shell_command *command)
{
	for (size_t i = 1; i < command->count; i++) {
		const char *text = command->word[i].text;

		if (i == 1 && strcmp(text, "-v") == 0)
			continue;
		if (shell_name_length(text) != strlen(text))
			shell_stop(reader, NEEDS_SHELL);
		else
			shell_unset(reader->env, text);
	}
}

/* The words of a test as the shell would see them: split ones are not for us, empty ones go. */
static size_t test_words(struct shell_reader *reader, const struct shell_command *command,
			 const char **words)
{
	size_t count = 0;

	for (size_t i = 1; i < command->count; i++) {
		const struct shell_word *word = &command->word[i];

		if (word->splits)
			shell_stop(reader, NEEDS_SHELL);
		if (*word->text || word->quoted || !word->expanded)
			words[count++] = word->text;
	}
	return count;
}

static bool run_test(struct shell_reader *reader, const struct shell_command *command)
{
	const char *words[WORDS_MAX];
	size_t count = test_words(reader, command, words);
	const char **at = words;
	bool negate = false;

	if (strcmp(command->word[0].text, "[") == 0 &&
	    (count == 0 || strcmp(words[--count], "]") != 0))
		shell_stop(reader, NEEDS_SHELL);
	if (count > 1 && count < 4 && strcmp(at[0], "!") == 0) {
		negate = true;
		at++;
		count--;
	}
	if (count == 0)
		return negate;
	if (count == 1)
		return (**at != '\0') != negate;
	if (count == 2 && strcmp(at[0], "-n") == 0)
		return (*at[1] != '\0') != negate;
	if (count == 2 && strcmp(at[0], "-z") == 0)
		return (*at[1] == '\0') != negate;
	if (count == 3 && (strcmp(at[1], "=") == 0 || strcmp(at[1], "!=") == 0))
		return ((strcmp(at[0], at[2]) == 0) == (at[1][0] == '=')) != negate;
	shell_stop(reader, NEEDS_SHELL);
	return false;
}

/* Returns whether it succeeds. */
static bool run_simple(struct shell_reader *reader, const struct shell_command *command)
{
	bool assigns = true;

	for (size_t i = 0; i < command->count; i++)
		assigns = assigns && command->word[i].name_len > 0;
	if (assigns)
		return true;
	if (is_word(command, "export"))
		run_export(reader, command);
	else if (is_word(command, "unset"))
		run_unset(reader, command);
	else if (is_word(command, "[") || is_word(command, "test"))
		return run_test(reader, command);
	else if (is_word(command, "return") && command->count == 1)
		reader->over = true;
	else if (!is_word(command, ":") && !is_word(command, "true"))
		shell_stop(reader, NEEDS_SHELL);
	return true;
}

static bool read_list(struct shell_reader *reader, bool active, const char *const *ends,
		      const char **end);

/* After `if`: its conditions and branches, to the fi. Returns whether the one taken succeeds. */
static bool read_if(struct shell_reader *reader, bool active)
{
	static const char *const then[] = {"then", NULL};
	static const char *const next[] = {"elif", "else", "fi", NULL};
	static const char *const last[] = {"fi", NULL};
	bool done = !active, result = true;
	const char *end = "elif";

	if (++reader->depth > SHELL_ENV_DEPTH_MAX)
		shell_stop(reader, NEEDS_SHELL);
	while (!shell_stopped(reader) && !reader->over && strcmp(end, "elif") == 0) {
		bool holds = read_list(reader, !done, then, &end);
		bool succeeds = read_list(reader, !done && holds, next, &end);

		if (!done && holds)
			result = succeeds;
		done = done || holds;
	}
	if (!shell_stopped(reader) && !reader->over && strcmp(end, "else") == 0) {
		bool succeeds = read_list(reader, !done, last, &end);

		if (!done)
			result = succeeds;
	}
	reader->depth--;
	return result;
}

static const char *one_of(const char *const *words, const char *word)
{
	for (; words && *words; words++)
		if (strcmp(*words, word) == 0)
			return *words;
	return NULL;
}

/* The unquoted word here, and nothing else, in @out; "" for any other. Nothing is consumed. */
static void peek(struct shell_reader *reader, char out[8])
{
	size_t len = strspn(reader->at, "abcdefghijklmnopqrstuvwxyz!{}");

	out[0] = '\0';
	/* A keyword may go on in the next line. */
	if (reader->at[len] == '\\' && reader->at[len + 1] == '\n')
		shell_stop(reader, NEEDS_SHELL);
	if (len > 0 && len < 8 && shell_ends_word(reader->at[len])) {
		memcpy(out, reader->at, len);
		out[len] = '\0';
	}
}

/* A command that is no list's end. Returns whether it succeeds. */
static bool read_command(struct shell_reader *reader, bool active)
{
	/* After these comes a command, and what they do with it matters only where it is taken. */
	static const char *const before[] = {"do", "while", "until", "then", "else", "{", NULL};
	struct shell_command command;
	bool negate = false, holds = true;
	char word[8];

	for (peek(reader, word); !shell_stopped(reader); peek(reader, word)) {
		if (strcmp(word, "!") == 0)
			negate = !negate;
		else if (active || !one_of(before, word))
			break;
		reader->at += strlen(word);
		shell_skip_blanks(reader);
	}
	if (strcmp(word, "if") == 0) {
		reader->at += strlen(word);
		return read_if(reader, active) != negate;
	}
	if (strcmp(word, "case") == 0)
		shell_stop(reader, NEEDS_SHELL);
	read_simple(reader, &command, active);
	if (active && !shell_stopped(reader))
		holds = run_simple(reader, &command);
	clear_command(&command);
	return holds != negate;
}

/* What stands behind a command that goes on: 0 for an end, '&' for &&, '|' for ||. */
static char read_operator(struct shell_reader *reader, bool active)
{
	char c;

	shell_skip_blanks(reader);
	c = *reader->at;
	if (c == ';')
		reader->at++;
	if (c == '\0' || c == '\n' || c == ';')
		return 0;
	if ((c == '&' || c == '|') && reader->at[1] == c) {
		reader->at += 2;
		shell_skip_lines(reader);
		return c;
	}
	/* Redirections, pipes, functions, subshells. */
	if (active || (c == '<' && reader->at[1] == '<'))
		shell_stop(reader, NEEDS_SHELL);
	else
		reader->at++;
	return 0;
}

/*
 * Commands up to one of @ends (which goes to @end) or, where @ends is NULL, to the end of the text.
 * Returns whether the last one succeeds.
 */
static bool read_list(struct shell_reader *reader, bool active, const char *const *ends,
		      const char **end)
{
	bool holds = true;
	char operation = 0;
	char word[8];

	while (!shell_stopped(reader) && !reader->over) {
		bool taken = active && (operation == 0 || (operation == '&') == holds);
		const char *found;

		shell_skip_lines(reader);
		peek(reader, word);
		found = one_of(ends, word);
		if (found && operation == 0) {
			reader->at += strlen(word);
			*end = found;
			return holds;
		}
		if (*reader->at == '\0' && !ends && operation == 0)
			return holds;
		if (*reader->at == '\0' || *reader->at == ';') {
			shell_stop(reader, NEEDS_SHELL);
		} else if (shell_ends_word(*reader->at)) {
			/* Something with a bracket or a bar at its beginning. */
			operation = read_operator(reader, active);
		} else {
			bool result = read_command(reader, taken);

			if (taken)
				holds = result;
			if (!reader->over)
				operation = read_operator(reader, active);
		}
	}
	return holds;
}

static int evaluate(struct shell_reader *reader, size_t size, unsigned *line)
{
	if (strlen(reader->start) != size)
		shell_stop(reader, NEEDS_SHELL);
	else
		(void)read_list(reader, true, NULL, NULL);
	if (reader->verdict == UNDERSTOOD)
		return 1;
	*line = 1;
	for (const char *at = reader->start; at < reader->at; at++)
		*line += *at == '\n';
	return reader->verdict == NO_MEMORY ? -1 : 0;
}

int shell_env_eval(struct shell_env *env, const char *text, size_t size, unsigned *line)
{
	struct shell_reader reader = {.env = env, .start = text, .at = text};

	return evaluate(&reader, size, line);
}

int shell_env_hear(struct shell_env *env, const char *text, size_t size, unsigned *line)
{
	struct shell_reader reader = {.env = env, .start = text, .at = text, .answer = true};

	return evaluate(&reader, size, line);
}
