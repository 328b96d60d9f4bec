/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * hints.h - what is right as it was typed, but may have been meant otherwise.
 *
 * The same words are right in firn and mean something else in Apptainer: a list of variables by
 * commas, -c. They are done as firn's manual says, and a line tells that. None is an error, all are
 * silent with -q. Nothing is looked at but the words and, for a shell, the terminal.
 */
#ifndef FIRN_RUNNER_ASK_HINTS_H
#define FIRN_RUNNER_ASK_HINTS_H

#include "lib/conf/conf.h"
#include "runner/ask/request.h"

/* Whether this is a shell for somebody at a terminal: no words behind the image. */
bool hints_is_interactive(const struct request *request);

/* Say what there is to say about @request, at the level that it sets; @interactive as above. No
 * option is suggested that @conf denies. */
void hints_tell(const struct request *request, const struct conf *conf, bool interactive);

/* What lets writes succeed of what @conf allows, for a sentence: "--writable-tmpfs or --overlay
 * DIR"; NULL: nothing does. */
const char *hints_to_write(const struct conf *conf);

/*
 * Whether @value, as --env has it, looks like several variables: behind a comma, a name of capital
 * letters and '='. Returns where that name begins, or NULL.
 */
const char *hints_second_variable(const char *value);

#endif
