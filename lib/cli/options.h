/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * options.h - the options of a verb: a table, and the one way in which it is read.
 *
 * Every program of firn's reads its words here, so that all verbs take the same spellings:
 *
 *     --name   --name=value   --name value   -n   -nvalue   -n value   -xyn value   --
 *
 * A name is written in full: one cut short is answered with the name, not taken, so that a script
 * means the same when firn has more options. The last of an option counts, unless its function
 * collects. A value may begin with a dash, and be empty behind '='. "-" is an operand.
 *
 * Reading looks at nothing but the words. The errors are those of all verbs: what is wrong, then
 * the option that was meant or the help to read.
 */
#ifndef FIRN_LIB_CLI_OPTIONS_H
#define FIRN_LIB_CLI_OPTIONS_H

#include "lib/cli/advice.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One row. A table is constant and outlives all that is read by it. */
struct cli_option {
	const char *name;  /* the long one, without dashes */
	char letter;	   /* the short one; 0: none */
	const char *value; /* what its value is called in help and errors; NULL: it takes none */
	unsigned verbs;	   /* a bit for each verb that has it */
	/*
	 * Put @value, which is NULL where none is taken and points into argv, where it belongs in
	 * the caller's @to. Returns 0, or -1 with @err. NULL: this is the option that asks for
	 * help.
	 */
	int (*take)(void *to, const struct cli_option *option, const char *value, struct err *err);
	size_t field;	  /* for @take: where in @to (offsetof) */
	const char *help; /* NULL: nothing is told of it but its name */
};

/* A verb. Texts are static. */
struct cli {
	const char *who;	/* the program, as it is called; NULL: firn */
	const char *verb;	/* "exec"; NULL: what stands before the verb is read */
	const char *usage;	/* what follows it: "[OPTION...] IMAGE COMMAND [ARG...]" */
	const char *about;	/* what it does: lines, the last one without a newline */
	const char *example[4]; /* commands as they are typed; ends with NULL */
	const struct cli_option *option;
	size_t count; /* of @option */
	unsigned bit; /* of cli_option's verbs: this one */
	/* The first operand ends the options: what follows are a program's words. Otherwise
	 * options may stand between and behind operands. */
	bool program;
	/* A flag may say "=true" or "=false" (cli_truth()), as Go's programs take it. */
	bool truths;
	/* What is done here instead of another program's option, the @len bytes of @name without
	 * dashes: a static text that follows "; ", or NULL. NULL: nothing is. */
	const char *(*foreign)(const char *name, size_t len);
	/* Options that the verb will have, by their long names, and why it has none yet. */
	const struct advice *absent;
	size_t absents;
	/* Told of each option before it is taken; returns as take() does. NULL: nobody is. */
	int (*note)(void *to, const struct cli_option *option, struct err *err);
};

enum { CLI_HELP = 1 };

/*
 * Read @argv, which begins behind the verb and ends with NULL, into the caller's @to. Returns
 *   0         with @operand at the first operand of those left, which end with NULL; they are
 *             moved to the front of @argv, which is put into another order, unless @cli->program;
 *   CLI_HELP  if help is asked for; what follows that word is not read, and @operand not set;
 *   -1        with @err naming the word that is wrong. @to may hold the options before it.
 */
int cli_read(const struct cli *cli, char **argv, void *to, char ***operand, struct err *err);

/* Write usage, what the verb does, its options and examples (lib/cli/usage.h). */
void cli_help(const struct cli *cli, FILE *out);

/* Whether @value says yes, as Go's strconv.ParseBool has it: 1 for "1", "t", "true" and the like, 0
 * for "0", "f", "false", -1 for what is neither. */
int cli_truth(const char *value);

/* For take, with the field's type: true; the value itself, which stays argv's. */
int cli_take_flag(void *to, const struct cli_option *option, const char *value, struct err *err);
int cli_take_text(void *to, const struct cli_option *option, const char *value, struct err *err);
/* An enum log_level (lib/log.h): errors only; one more than normal, or everything at the second.
 * The last one counts: "-q -v" is -v. */
int cli_take_quiet(void *to, const struct cli_option *option, const char *value, struct err *err);
int cli_take_verbose(void *to, const struct cli_option *option, const char *value, struct err *err);

/* Two members of a row: for a bool and a const char * of @type. */
#define CLI_FLAG(type, field) cli_take_flag, offsetof(type, field)
#define CLI_TEXT(type, field) cli_take_text, offsetof(type, field)

#endif
