/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * size.h - numbers and sizes as people write them.
 *
 * A size is a whole number of bytes, or with K, M, G or T behind it (k, m, g, t too) of 1024 of
 * the one before: "64M" is 67108864. No sign, no blank, no fraction and no "B": what has one is
 * a slip more often than not, and is refused. Everywhere the same, in options and in firn.conf.
 */
#ifndef FIRN_LIB_SIZE_H
#define FIRN_LIB_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* Read the decimal digits that @text is made of. Returns 0, or -1 and leaves @out alone if there is
 * anything else in it, or nothing, or the number is above @most. */
int number_parse(const char *text, uint64_t most, uint64_t *out);

/* Read a size. Returns 0, or -1 and leaves @out alone if @text is none, or is of more bytes than
 * 64 bits can count. */
int size_parse(const char *text, uint64_t *out);

enum { SIZE_TEXT_SIZE = 24 }; /* bytes that the longest one takes, with its NUL */

/* Write @size with the unit that a reader takes in at a glance: "512 bytes", "1.5 KiB",
 * "207 MiB"; to 16 EiB, in TiB. Rounded, so that it is for people alone. */
void size_print(uint64_t size, char out[SIZE_TEXT_SIZE]);

#endif
