/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * delegate.h - verbs that another program of firn's does.
 *
 * Building needs a network client and a JSON library; running must start in a
 * millisecond. So firn-build is a program of its own, beside this one.
 */
#ifndef FIRN_RUNNER_DELEGATE_H
#define FIRN_RUNNER_DELEGATE_H

#include "lib/err.h"

#include <stddef.h>

/* Become "firn-build @verb @argv...". Returns an exit status if that cannot be. */
int delegate(const char *verb, int argc, char **argv);

/*
 * Run "firn-build @verb @argv..." and put the one line that it prints on standard output, without
 * its end, into @out of @size bytes. Its errors go to ours; it is told to end when we do. Returns
 * 0, 1 when it has failed and has said why, or -1 with @err.
 */
int delegate_read(const char *verb, int argc, char **argv, char *out, size_t size, struct err *err);

#endif
