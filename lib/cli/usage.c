/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cli/usage.h"

#include "lib/own.h"

#include <string.h>

enum {
	WIDTH = 79,  /* the 80th column of some terminals wraps */
	COLUMN = 28, /* where an option's help begins */
	LEFT_MAX = 64,
	WORD_MAX = 32, /* of what is compared; longer words are nobody's mistakes */
	PREFIX_MIN = 4,
};

/* @text from column COLUMN on, where the line stands now. */
static void put_wrapped(FILE *out, const char *text)
{
	size_t at = COLUMN;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > COLUMN && at + 1 + len > WIDTH) {
			(void)fprintf(out, "\n%*s", COLUMN, "");
			at = COLUMN;
		}
		at += (size_t)fprintf(out, "%s%.*s", at > COLUMN ? " " : "", (int)len, text);
		text += len;
		text += *text == ' ';
	}
	(void)fputc('\n', out);
}

void usage_option(FILE *out, char letter, const char *name, const char *value, const char *help)
{
	char left[LEFT_MAX], head[8] = "    ";

	if (letter)
		(void)snprintf(head, sizeof(head), "-%c, ", letter);
	(void)snprintf(left, sizeof(left), "  %s--%s%s%s", head, name, value ? " " : "",
		       value ? value : "");
	if (!help) {
		(void)fprintf(out, "%s\n", left);
		return;
	}
	if (strlen(left) + 2 > COLUMN)
		(void)fprintf(out, "%s\n%*s", left, COLUMN, "");
	else
		(void)fprintf(out, "%-*s", COLUMN, left);
	put_wrapped(out, help);
}

void usage_examples(FILE *out, const char *const *example)
{
	if (*example)
		(void)fputs("\nExamples:\n", out);
	for (; *example; example++)
		(void)fprintf(out, "    %s\n", *example);
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Letters changed, left out, added or swapped with their neighbour ("optimal string alignment"). */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = row[i % 3], *above = row[(i + 2) % 3], *two = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < now[j])
				now[j] = two[j - 2] + 1;
		}
	}
	return row[a_len % 3][b_len];
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(candidate), off, most;

	if (nearest->len == 0 || nearest->len > WORD_MAX || len > WORD_MAX)
		return;
	off = distance(nearest->word, nearest->len, candidate, len);
	most = nearest->len / 4;
	most = most < 1 ? 1 : most > 3 ? 3 : most;
	if (nearest->len >= PREFIX_MIN && nearest->len < len &&
	    strncmp(nearest->word, candidate, nearest->len) == 0)
		off = 1;
	if (off > most || off >= len || (nearest->best && off >= nearest->distance))
		return;
	nearest->best = candidate;
	nearest->distance = off;
}
