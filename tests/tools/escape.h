/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * escape.h - what whoever has taken over a process in a cage would try.
 *
 * All processes of lib/cage do so in a program that this is linked into, if what they read is
 * called "escape...": then their error says how much was refused. "crash..." is a fault. Each
 * attempt is one that succeeds for any user outside of a cage (tests/unit/lib/cage.c).
 */
#ifndef FIRN_TESTS_TOOLS_ESCAPE_H
#define FIRN_TESTS_TOOLS_ESCAPE_H

#include <stddef.h>

enum { ESCAPES = 40 };

/*
 * The @i-th of ESCAPES; @image is open for reading. Returns 0 or more where it succeeds, and -1
 * where it fails. A few change files in the current directory, which the later ones remove.
 */
long escape_attempt(size_t i, int image);
const char *escape_name(size_t i);
/* Whether the kernel was kept from trying it: EPERM or ENOSYS, no error of the attempt itself. */
int escape_is_refused(size_t i, int image);

#endif
