/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shell_env_private.h - between the parts of the evaluator.
 *
 *   shell_vars.c   the variables
 *   shell_words.c  words: quotes and expansions
 *   shell_env.c    commands
 */
#ifndef FIRN_RUNNER_PLAN_SHELL_ENV_PRIVATE_H
#define FIRN_RUNNER_PLAN_SHELL_ENV_PRIVATE_H

#include "lib/words.h"
#include "runner/plan/shell_env.h"

#include <stdbool.h>
#include <string.h>

struct shell_variable {
	char *name, *value; /* value NULL: it is not set, but may be exported */
	bool exported;
};

struct shell_env {
	struct shell_variable *item;
	size_t count, room;
	struct names names; /* of @item */
};

enum shell_verdict { UNDERSTOOD, NEEDS_SHELL, NO_MEMORY };

/* A script while it is read. */
struct shell_reader {
	struct shell_env *env;
	const char *start, *at;
	enum shell_verdict verdict;
	unsigned depth;
	bool over;   /* `return` was said */
	bool answer; /* what a shell says of itself, no script: it may name its own variables */
};

/* A word of a command, expanded. */
struct shell_word {
	char *text;
	size_t name_len; /* of NAME in NAME=VALUE without quotes; 0: it is no assignment */
	bool quoted;	 /* has quotes: stays, even if it is empty */
	bool expanded;	 /* has an expansion outside of quotes ... */
	bool splits;	 /* ... that a command's argument would be split or matched for */
	bool special;	 /* has an unquoted character that matches file names, or a tilde */
};

static inline void shell_stop(struct shell_reader *reader, enum shell_verdict verdict)
{
	if (reader->verdict == UNDERSTOOD)
		reader->verdict = verdict;
}

static inline bool shell_stopped(const struct shell_reader *reader)
{
	return reader->verdict != UNDERSTOOD;
}

/* shell_vars.c. @len bytes of @name are meant. A @value of NULL leaves what is there. */
size_t shell_name_length(const char *text); /* of the name at the beginning; 0: there is none */
struct shell_variable *shell_find(const struct shell_env *env, const char *name, size_t len);
int shell_set(struct shell_env *env, const char *name, size_t len, const char *value, bool export);
void shell_unset(struct shell_env *env, const char *name);

/*
 * Whether what a shell does with variable @name (@len bytes) is known here: not of those that a
 * shell sets by itself, or that change what it does; @is_set: not even of what it only begins with.
 */
bool shell_is_plain(const char *name, size_t len, bool is_set);

/*
 * shell_words.c. Of what is not @active nothing is expanded, and what needs a shell does no harm.
 * A word is read at its first byte; its text is the caller's to free, also after a stop.
 */
bool shell_ends_word(char c);
void shell_read_word(struct shell_reader *reader, struct shell_word *word, bool active);
void shell_skip_blanks(struct shell_reader *reader); /* and comments, and joined lines */
void shell_skip_lines(struct shell_reader *reader);  /* and ends of lines */

#endif
