/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * foreign.h - words of other runners, and firn's own for them.
 *
 * Who comes from Apptainer, Docker, Podman, Charliecloud or Enroot types what was right there. A
 * word that firn does not know is looked up here, so that its error says what to type instead.
 * Nothing is done under a foreign name: the same word may mean something else there.
 *
 * Each returns a static text that follows "...; " in a message, or NULL for a word nobody knows.
 */
#ifndef FIRN_RUNNER_FOREIGN_H
#define FIRN_RUNNER_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* A first word after "firn" that is no verb: "instance", "ps". */
const char *foreign_verb(const char *word);

/* An option of exec, run and shell: the @len bytes of @name, without dashes: "pwd", or one letter:
 * "w". */
const char *foreign_option(const char *name, size_t len);

/* The same of inspect. */
const char *foreign_inspect_option(const char *name, size_t len);

/* What was named as the image and cannot be opened: "library://alpine", "/host:/data". */
const char *foreign_image(const char *word);

/*
 * Whether @word, which is no file, is likely the name of an image in a registry: with a tag or a
 * digest, with a host before, or a single word. A file's name has an end that tells what it is.
 */
bool foreign_reference(const char *word);

/* To be said of one. */
#define FOREIGN_USE_PULL "firn pull makes a file of an image in a registry, which is run"

#endif
