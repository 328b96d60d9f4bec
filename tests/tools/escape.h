/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * escape.h - what whoever has taken over a process in a cage would try.
 *
 * All processes of lib/cage do so in a program that this is linked into, if what they read is
 * called "escape...": then their error says how much was refused. "crash..." is a fault.
 */
#ifndef FIRN_TESTS_TOOLS_ESCAPE_H
#define FIRN_TESTS_TOOLS_ESCAPE_H

#include <stddef.h>

enum { ESCAPES = 40 };

/* The @i-th of ESCAPES; @image is open for reading. Negative where it is refused. */
long escape_attempt(size_t i, int image);

#endif
