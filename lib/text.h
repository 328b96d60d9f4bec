/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * text.h - text that may be shown on a terminal.
 *
 * Names come from images, archives and other people. What a terminal takes for
 * an order is never shown as it is: the C0 controls and DEL, and the C1 controls
 * U+0080 to U+009F (ECMA-48; U+009B begins an escape sequence as ESC [ does),
 * both as UTF-8 and as single bytes, as terminals of eight bits take them. All
 * other UTF-8 stays, so that names in any language can be read; so do stray
 * bytes from 0xA0 on, the letters of the 8-bit character sets.
 */
#ifndef FIRN_LIB_TEXT_H
#define FIRN_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The bytes of the first character of @text, which is not empty; 1 for a byte
 * that is no UTF-8. @control says whether a terminal would obey it.
 */
size_t text_unit(const char *text, bool *control);

/* Put '?' in the place of each control character of @text, which can only become shorter. */
void text_tame(char *text);

/* Write @text, each byte of a control character, and the backslash, as \ooo. */
void text_escape(FILE *out, const char *text);

#endif
