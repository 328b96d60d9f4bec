/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * called.h - the name that a program of firn's was called by.
 *
 * By the name of apptainer or singularity it speaks Apptainer's command line (runner/dialect/), and
 * ends as Apptainer does: programs that call those names look at the status.
 */
#ifndef FIRN_LIB_CLI_CALLED_H
#define FIRN_LIB_CLI_CALLED_H

#include <stdbool.h>

/* What Apptainer ends with for all that is its own failure, a program that is not there included
 * (its user guide, "Exit Status"). */
enum { EXIT_APPTAINER_FAILED = 255 };

/* Whether @name, argv[0], means that. Only what stands behind the last '/' counts. */
bool called_as_apptainer(const char *name);

/* What to end with for a failure of our own: @status, or Apptainer's. 0 stays 0. */
int called_status(const char *name, int status);

#endif
