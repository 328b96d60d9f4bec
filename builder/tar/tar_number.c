/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/tar_private.h"

/* GNU: the first bit says that the rest is one big-endian two's complement number. */
static int take_base256(const unsigned char *field, size_t size, int64_t *out)
{
	bool negative = field[0] & 0x40;
	uint64_t value = negative ? UINT64_MAX : 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char byte = i > 0 ? field[i] : negative ? field[0] : field[0] & 0x7f;
		uint64_t top = value >> 55; /* all of it must be sign before it is shifted out */

		if (top != (negative ? UINT64_MAX >> 55 : 0))
			return -1;
		value = value << 8 | byte;
	}
	*out = (int64_t)value;
	return 0;
}

int tar_number(const char *field, size_t size, int64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	if (size == 0)
		return -1;
	if ((unsigned char)field[0] & 0x80)
		return take_base256((const unsigned char *)field, size, out);
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0'); /* 12 digits at most */
	for (; i < size; i++)
		if (field[i] != ' ' && field[i])
			return -1;
	*out = (int64_t)value;
	return 0;
}

int tar_decimal(const char *text, const char **end, uint64_t *out)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value > (uint64_t)INT64_MAX / 10 - 1)
			return -1;
		value = 10 * value + (uint64_t)(*text - '0');
	}
	*end = text;
	*out = value;
	return 0;
}
