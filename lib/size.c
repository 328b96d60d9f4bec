/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The digits at the beginning of @text. Returns what is behind them, or NULL. */
static const char *take_digits(const char *text, uint64_t *out)
{
	const char *at = text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return NULL;
		value = 10 * value + digit;
	}
	*out = value;
	return at > text ? at : NULL;
}

int number_parse(const char *text, uint64_t most, uint64_t *out)
{
	uint64_t value;
	const char *end = take_digits(text, &value);

	if (!end || *end || value > most)
		return -1;
	*out = value;
	return 0;
}

int size_parse(const char *text, uint64_t *out)
{
	static const char letters[] = "kKmMgGtT";
	uint64_t value;
	const char *end = take_digits(text, &value), *letter;
	int shift = 0;

	if (end && *end) {
		letter = strchr(letters, *end++);
		if (!letter)
			return -1;
		shift = 10 * (int)((letter - letters) / 2 + 1);
	}
	if (!end || *end || value > UINT64_MAX >> shift)
		return -1;
	*out = value << shift;
	return 0;
}

void size_print(uint64_t size, char out[SIZE_TEXT_SIZE])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double amount = (double)size / 1024;
	size_t unit = 0;

	if (size < 1024) {
		(void)snprintf(out, SIZE_TEXT_SIZE, "%" PRIu64 " bytes", size);
		return;
	}
	while (amount >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		amount /= 1024;
		unit++;
	}
	(void)snprintf(out, SIZE_TEXT_SIZE, "%.*f %s", amount < 10 ? 1 : 0, amount, units[unit]);
}
