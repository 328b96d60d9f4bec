/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/size.h"

#include "tests/unit/tap.h"

static void is_size(const char *text, uint64_t wanted)
{
	uint64_t got = 7;

	ok(size_parse(text, &got) == 0 && got == wanted, "'%s' is %llu", text,
	   (unsigned long long)wanted);
}

static void is_none(const char *text)
{
	uint64_t got = 7;

	ok(size_parse(text, &got) == -1 && got == 7, "'%s' is no size", text);
}

static void sizes_are_read(void)
{
	is_size("0", 0);
	is_size("007", 7);
	is_size("1k", 1024);
	is_size("64M", 64 << 20);
	is_size("3g", UINT64_C(3) << 30);
	is_size("2T", UINT64_C(2) << 40);
	is_size("18446744073709551615", UINT64_MAX);
	is_size("16777215T", UINT64_C(16777215) << 40);
}

static void what_is_no_size_is_refused(void)
{
	static const char *const wrong[] = {
		"",
		" ",
		"K",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1 M",
		"1.5G",
		"0x10",
		"1KB",
		"1KiB",
		"1P",
		"1MM",
		"M1",
		"18446744073709551616",
		"99999999999999999999",
		"16777216T",
		"18446744073709551615K",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_none(wrong[i]);
}

static void numbers_have_no_unit(void)
{
	uint64_t got = 7;

	ok(number_parse("0", 0, &got) == 0 && got == 0, "as much as the limit");
	ok(number_parse("18446744073709551615", UINT64_MAX, &got) == 0 && got == UINT64_MAX,
	   "the largest");
	got = 7;
	ok(number_parse("11", 10, &got) == -1, "above the limit");
	ok(number_parse("1K", 2000, &got) == -1, "a size");
	ok(number_parse("", 10, &got) == -1 && number_parse("-1", 10, &got) == -1 &&
		   number_parse("1 ", 10, &got) == -1,
	   "nothing, a sign, a blank");
	ok(got == 7, "the result stays as it was");
}

static void prints(uint64_t size, const char *wanted)
{
	char text[SIZE_TEXT_SIZE];

	size_print(size, text);
	ok(strcmp(text, wanted) == 0, "%llu is %s", (unsigned long long)size, wanted);
}

static void sizes_are_shown_in_a_unit(void)
{
	prints(0, "0 bytes");
	prints(1023, "1023 bytes");
	prints(1024, "1.0 KiB");
	prints(1536, "1.5 KiB");
	prints(64 << 20, "64 MiB");
	prints(UINT64_C(3) << 30, "3.0 GiB");
	prints(UINT64_MAX, "16777216 TiB");
}

int main(void)
{
	sizes_are_read();
	what_is_no_size_is_refused();
	numbers_have_no_unit();
	sizes_are_shown_in_a_unit();
	return done_testing();
}
