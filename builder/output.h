/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * output.h - the image file: there whole, or not at all.
 *
 * It is written without a name (O_TMPFILE in OUT's directory) and gets one in
 * the end, so that neither a signal nor a full disk leaves a part of it behind.
 * Where the file system has no O_TMPFILE, it is written under a hidden name
 * that a failure or a signal removes.
 */
#ifndef FIRN_BUILDER_OUTPUT_H
#define FIRN_BUILDER_OUTPUT_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>

struct output;

/*
 * Make ready to write @path. Without @force it is an error if @path exists; with it
 * only an image (or an empty file) is replaced.
 */
int output_open(const char *path, bool force, struct output **out, struct err *err);
int output_fd(const struct output *output); /* the output's own */
/* All is written: give the file its name, in the mode that the umask leaves of 0666. */
int output_publish(struct output *output, struct err *err);
/* Close; what was not published is gone. */
void output_close(struct output *output);
void output_closep(struct output **output);
#define auto_output CLEANUP(output_closep) struct output

#endif
