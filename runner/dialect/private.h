/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * private.h - what the parts of the dialect share.
 *
 * A speech is one command line while it is read: cli_read() calls the rows' take with it, and the
 * variables of the environment call the same, so that a word and its variable cannot differ. What
 * rows add is firn's words in the order read; what depends on several rows waits for the end.
 * A row's help says what becomes of the word, also where it is refused or has no effect.
 */
#ifndef FIRN_RUNNER_DIALECT_PRIVATE_H
#define FIRN_RUNNER_DIALECT_PRIVATE_H

#include "lib/cli/options.h"
#include "runner/dialect/dialect.h"

enum { DIALECT_ROWS_MAX = 128 }; /* of a table */

/* Who has an option. */
enum dialect_verb {
	DIALECT_EXEC,
	DIALECT_RUN,
	DIALECT_SHELL,
	DIALECT_TEST,
	DIALECT_PULL,
	DIALECT_BUILD,
	DIALECT_INSPECT,
	DIALECT_CACHE,
	DIALECT_VERIFY,
	DIALECT_RUN_HELP,
	DIALECT_VERBS,
};

struct speech {
	struct dialect *to;
	enum dialect_verb verb;
	const struct cli *cli;
	const char *variable; /* whose value is read; NULL: words are */
	bool seen[DIALECT_ROWS_MAX]; /* rows of cli->option that the command line has */

	struct words options; /* firn's; what sets variables stands behind, in this order: */
	struct words from_variables, from_files, from_words;
	struct words scratch; /* --scratch: places inside */
	const char *workdir, *overlay;
	bool contain;

	/* of pull, build and inspect */
	const char *name, *dir, *arch, *variant;
	bool force, parts, dry_run;
};

/* verbs.c and words.c: a verb as it is read, by dialect_verb. */
extern const struct cli dialect_actions[];  /* exec to test */
extern const struct cli dialect_builders[]; /* the others, from DIALECT_PULL on */
const struct cli *dialect_cli(enum dialect_verb verb);

/* For take: an error, with what the row's help says; a note; a warning. */
int dialect_refuse(void *to, const struct cli_option *row, const char *value, struct err *err);
int dialect_no_effect(void *to, const struct cli_option *row, const char *value, struct err *err);
int dialect_warn(void *to, const struct cli_option *row, const char *value, struct err *err);
/* For note: that the row is on the command line. */
int dialect_see(void *to, const struct cli_option *row, struct err *err);

/* Add firn's @word and, unless it is NULL, @value. Return 0, or -1 with @err. */
int dialect_say(struct words *words, const char *word, const char *value, struct err *err);

/* The words of firn's for what was read and the operands. Return 0, or -1 with @err. */
int dialect_end_action(struct speech *speech, char **operand, struct err *err);
int dialect_end_builder(struct speech *speech, char **operand, struct err *err);

/* variables.c: what @env holds for this verb; the command line has been read. Returns 0, or -1. */
int dialect_read_variables(struct speech *speech, char *const *env, struct err *err);
/* One variable of the container's, by @words or as PATH's ends; @name is @len bytes long. */
int dialect_set_variable(struct words *words, const char *name, size_t len, const char *value,
			 struct err *err);

/*
 * lists.c: the parts of a list. Each calls @take with a part, which is good until it returns, and
 * returns 0, or -1 with @err, which @take has filled, or which names the list.
 */
typedef int dialect_part(void *arg, const char *part, struct err *err);
/* "a,b": what stands between commas, quoted as in CSV if it holds one. */
int dialect_each_item(const char *list, dialect_part *take, void *arg, struct err *err);
/* "SRC:DST:ro,SRC2": binds, where a comma before an option goes on with the options. */
int dialect_each_bind(const char *list, dialect_part *take, void *arg, struct err *err);
/* "A=1,B=2": variables; with one '=' in all, it is one whose value may hold commas. */
int dialect_each_variable(const char *list, dialect_part *take, void *arg, struct err *err);

#endif
