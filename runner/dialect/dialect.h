/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * dialect.h - Apptainer's command line, said in firn's words.
 *
 * Called as apptainer or singularity, firn reads what Apptainer 1.4 reads, and makes of it the line
 * that would be typed behind "firn": from there on there is one way for both. Each word of
 * Apptainer's is a row of a table (words.c, verbs.c) that says what becomes of it:
 *
 *     words of firn's      with the same meaning
 *     "has no effect"      as firn always does so, or has nothing to do it to: told at -v
 *     a warning            the program runs, but something asked for is not as in Apptainer
 *     "is not offered"     an error, with the reason
 *
 * Variables APPTAINER_* and SINGULARITY_* are the same rows (variables.c). Reading looks at the
 * words and the environment alone; what it asks of the process itself, dialect_settle() does.
 */
#ifndef FIRN_RUNNER_DIALECT_DIALECT_H
#define FIRN_RUNNER_DIALECT_DIALECT_H

#include "lib/err.h"
#include "lib/log.h"
#include "lib/words.h"

#include <stdbool.h>

struct dialect {
	struct words words;    /* firn's: "firn", the verb, options, operands */
	struct words notes;    /* for -v */
	struct words warnings; /* for all but -q */
	struct words folders;  /* below --workdir, to be made where they are missing */
	struct words set;      /* NAME=VALUE for the process' own environment */
	struct words unset;    /* names of variables that are not the container's */
	enum log_level level;
	bool umask;    /* 0022 instead of the caller's */
	bool answered; /* help or the version was asked for, and printed */
};

/* All zero is empty. */
void dialect_clear(struct dialect *dialect);
#define auto_dialect CLEANUP(dialect_clear) struct dialect

/*
 * Read @argv, of which the first is the name called by and which ends with NULL; its words may be
 * put into another order. @env is as environ. Returns 0 with all of @out, which is empty before and
 * owns what it gets; or -1 with @err naming the word or the variable.
 */
int dialect_read(char **argv, char *const *env, struct dialect *out, struct err *err);

/* Say what there is to say, and do what belongs to the process. Returns 0, or -1 with @err. */
int dialect_settle(const struct dialect *dialect, struct err *err);

#endif
