/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * image_name.h - whether a word in the image's place is a registry's name, and not a file's.
 *
 * A path that is there is always that path, and so is what begins as one ("/", "./", "~"): nobody's
 * command line changes its meaning by a registry. Else "docker://NAME" is a name, and what is one
 * by the registries' grammar with its tag or digest: NAME:TAG, HOST/NAME@sha256:HEX, or
 * HOST#NAME:TAG as enroot has it. A word with neither is a file that is missing. What the name
 * means is not asked here: that is firn-build's work (builder/fetch/shortname.h).
 */
#ifndef FIRN_RUNNER_ASK_IMAGE_NAME_H
#define FIRN_RUNNER_ASK_IMAGE_NAME_H

#include <stdbool.h>

/* Whether @text reads as such a name. Looks at the word alone. */
bool image_name_reads(const char *text);
/* The same, if there is nothing under that name in the file system. */
bool image_name_is(const char *text);

#endif
