/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * named.h - an image that is named as its registry names it, where a job is submitted.
 *
 * Nodes fetch nothing: what the name means is found out here, once, and the job is told the file,
 * so that the pin is of what was meant at submission, on every node and however long it waits. The
 * file is one of the user's store (firn-images(1)), which nodes see if its directory is a shared
 * one.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_NAMED_H
#define FIRN_SLURM_PLUGIN_SUBMIT_NAMED_H

#include "lib/err.h"

/*
 * Have @firn get the image @name, built if it is not there: it says on standard error what it waits
 * for. Returns 0 and its absolute path in @out, the caller's to free; or -1 with @err, where the
 * cause was said by @firn.
 */
int named_get(const char *firn, const char *name, char **out, struct err *err);

#endif
