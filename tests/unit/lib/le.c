/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/le.h"

#include "tests/unit/tap.h"

static const uint8_t bytes[] = {0x00, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static void numbers_are_read_from_their_lowest_byte_on(void)
{
	ok(le_get16(bytes + 1) == 0x9988, "of two bytes");
	ok(le_get32(bytes + 1) == 0xbbaa9988, "of four, the highest bit set");
	ok(le_get64(bytes + 1) == UINT64_C(0xffeeddccbbaa9988), "of eight");
	ok(le_get64(bytes) == UINT64_C(0xeeddccbbaa998800), "at another alignment");
}

static void numbers_are_written_as_they_are_read(void)
{
	uint8_t to[10] = {0};

	le_put64(to + 1, UINT64_C(0xffeeddccbbaa9988));
	ok(memcmp(to + 1, bytes + 1, 8) == 0 && to[0] == 0 && to[9] == 0, "eight bytes, no more");
	le_put32(to + 3, 1);
	ok(le_get32(to + 3) == 1 && to[2] == 0x99 && to[7] == 0xee, "four bytes, no more");
}

int main(void)
{
	numbers_are_read_from_their_lowest_byte_on();
	numbers_are_written_as_they_are_read();
	return done_testing();
}
