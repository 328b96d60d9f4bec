/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inspect_files.h - the files in which Apptainer and Singularity keep what an image says of itself.
 *
 * Below /.singularity.d: what is run, its help, the definition that it was built by, a test, and
 * the scripts that make the environment (env_scripts.h). People are told which of them there are,
 * or shown one whole, as it is; JSON has all of them. None is run or understood here.
 */
#ifndef FIRN_RUNNER_INSPECT_FILES_H
#define FIRN_RUNNER_INSPECT_FILES_H

#include "runner/plan/content.h"
#include "runner/report.h"

/* One bit each, in the order of the table in inspect_files.c. */
enum {
	INSPECT_ENVIRONMENT = 1 << 5,
	INSPECT_LABELS = 1 << 6,
	INSPECT_PARTS = 7,
};

/* The bit of what is called @name ("runscript", "environment", "labels"); 0: nothing is. */
unsigned inspect_part(const char *name);

/* Tell which of them there are: for people a line each, in JSON the texts themselves, of those
 * files whose bits are in @parts. Returns 0, or -1 with @err. */
int inspect_files_tell(struct report *to, struct content *content, unsigned parts, struct err *err);

/*
 * Write those of @parts (INSPECT_LABELS is not looked at) to standard output, each whole; under a
 * heading if there are several. @tame: control characters become '?', as for a terminal, which
 * cannot be asked for in the cage. Returns 0, or -1
 * with @err, also when the image has none of one.
 */
int inspect_files_show(struct content *content, unsigned parts, bool tame, struct err *err);

#endif
