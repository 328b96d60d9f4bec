/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * foreign.h - words of other builders, and firn's own for them.
 *
 * Who comes from Apptainer, docker build, podman or buildah types what was right there: operands
 * in another order, a definition file or Dockerfile, sources of other kinds. What cannot mean
 * anything here is answered with the line to type instead, before anything is written. Nothing
 * is done under a foreign name, but for one: "pull OUT docker://NAME", which can mean only one
 * thing. (Verbs, and options of exec, run and shell, are in runner/foreign.h.)
 */
#ifndef FIRN_BUILDER_FOREIGN_H
#define FIRN_BUILDER_FOREIGN_H

#include "lib/err.h"

#include <stddef.h>

/*
 * An option: the @len bytes of @name, without dashes: "sandbox", or one letter: "t". A static
 * text that follows "...; " in a message, or NULL for one that nobody knows.
 */
const char *foreign_build_option(const char *name, size_t len);

/* What stands in the place of list and gc: likewise. */
const char *foreign_cache(const char *word);

/*
 * The @count operands of build and pull as they were typed, which end with NULL. Returns 0,
 * with those of pull in firn's order, or -1 with @err saying what to type. Looks at the files
 * that are named, but opens none that is no regular file.
 */
int foreign_build(char **operand, int count, struct err *err);
int foreign_pull(char **operand, int count, struct err *err);

#endif
