/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tap.h - the little that a unit test needs to speak TAP.
 *
 * Each test program calls ok() for every promise and ends with
 * return done_testing().
 */
#ifndef FIRN_TESTS_UNIT_TAP_H
#define FIRN_TESTS_UNIT_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

#define ok(promise, ...) tap_ok((promise), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, wanted, ...) tap_is_str((got), (wanted), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static inline bool tap_ok(bool held, const char *file,
								int line, const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	printf("%sok %d - ", held ? "" : "not ", ++tap_count);
	vprintf(format, args);
	printf("\n");
	__builtin_va_end(args);
	if (!held) {
		tap_failed++;
		printf("#   failed at %s:%d\n", file, line);
	}
	(void)fflush(stdout);
	return held;
}

static inline bool tap_is_str(const char *got, const char *wanted, const char *file, int line,
			      const char *promise)
{
	bool same = got && wanted && strcmp(got, wanted) == 0;

	tap_ok(same, file, line, "%s", promise);
	if (!same)
		printf("#   got    '%s'\n#   wanted '%s'\n", got ? got : "(null)",
		       wanted ? wanted : "(null)");
	return same;
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
