/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * verb.h - "firn images": what is asked of the store on the command line.
 *
 * Without a word it lists; get, rm, gc and verify are the words. What is printed on standard output
 * is the answer, for people or with --json for programs (doc/json.md); get prints a path and
 * nothing else, so that scripts can use it. Lines beside the answer go to standard error, as
 * everywhere. What is asked is one thing at a time; a word that is none of the five is an error,
 * as is one too many.
 */
#ifndef FIRN_BUILDER_STORE_VERB_H
#define FIRN_BUILDER_STORE_VERB_H

#include "builder/options.h"

/*
 * Do what @options' operands say. @recipe is how an image that is missing is built, and what
 * verifying needs; its source is not looked at. Returns 0, or -1 with @err; what was done until
 * then is printed.
 */
int store_verb(const struct options *options, const struct recipe *recipe, struct err *err);

#endif
