/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/text.h"

#include <stdint.h>
#include <string.h>

enum { DEL = 0x7f, C1_FIRST = 0x80, C1_LAST = 0x9f, CODE_MAX = 0x10ffff };

/* How many bytes follow the first byte @lead of a UTF-8 character; 0 for none that does. */
static size_t followers(unsigned char lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/* The character at @text (RFC 3629), its bytes in @len; -1 when it is no UTF-8. */
static int32_t decode(const unsigned char *text, size_t *len)
{
	static const int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	size_t more = followers(text[0]);
	int32_t code = text[0] & (0x3f >> more);

	if (more == 0)
		return -1;
	/* The NUL at the end is no follower: nothing behind it is looked at. */
	for (size_t i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < smallest[more] || code > CODE_MAX || (code >= 0xd800 && code <= 0xdfff))
		return -1;
	*len = more + 1;
	return code;
}

size_t text_unit(const char *text, bool *control)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = 1;
	int32_t code = bytes[0] < C1_FIRST ? bytes[0] : decode(bytes, &len);

	if (code < 0)
		code = bytes[0];
	*control = code < ' ' || (code >= DEL && code <= C1_LAST);
	return len;
}

void text_tame(char *text)
{
	char *to = text;

	while (*text) {
		bool control;
		size_t len = text_unit(text, &control);

		if (control)
			*to++ = '?';
		else
			to = (char *)memmove(to, text, len) + len;
		text += len;
	}
	*to = '\0';
}

void text_escape(FILE *out, const char *text)
{
	while (*text) {
		bool control;
		size_t len = text_unit(text, &control);

		for (; len > 0; len--, text++) {
			if (control || *text == '\\')
				(void)fprintf(out, "\\%03o", (unsigned char)*text);
			else
				(void)fputc(*text, out);
		}
	}
}
