/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/verdict.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* The number that *@text begins with, which is left behind; one too large is the largest. */
static unsigned long take_number(const char **text)
{
	unsigned long number = 0;

	for (; isdigit((unsigned char)**text); (*text)++) {
		unsigned long digit = (unsigned long)(**text - '0');

		number = number > (ULONG_MAX - digit) / 10 ? ULONG_MAX : number * 10 + digit;
	}
	return number;
}

int verdict_compare_numbers(const char *a, const char *b)
{
	while (*a && *b) {
		unsigned long of_a = take_number(&a), of_b = take_number(&b);

		if (of_a != of_b)
			return of_a < of_b ? -1 : 1;
		/* Past the dot, or whatever stands in its place. */
		a += *a != '\0';
		b += *b != '\0';
	}
	return (*a != '\0') - (*b != '\0');
}

/* Whether @name is @prefix with a number behind it that is higher than that of @best, if any. */
static bool is_higher(const char *name, const char *prefix, const char *best)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && isdigit((unsigned char)name[len]) &&
	       (!best || verdict_compare_numbers(name + len, best + len) > 0);
}

const char *verdict_highest_needed(const struct elf *elf, const char *prefix)
{
	const char *best = NULL;

	for (size_t i = 0; i < elf->need_count; i++) {
		for (size_t j = 0; j < elf->need[i].count; j++) {
			const struct elf_version *version = &elf->need[i].version[j];

			if (!version->weak && is_higher(version->name, prefix, best))
				best = version->name;
		}
	}
	return best;
}

const char *verdict_highest_defined(const struct elf *elf, const char *prefix)
{
	const char *best = NULL;

	for (size_t i = 0; i < elf->defined_count; i++)
		if (is_higher(elf->defined[i], prefix, best))
			best = elf->defined[i];
	return best;
}

void verdict_file_number(const struct closure *closure, const struct closure_object *object,
			 char *out, size_t size)
{
	char link[64], path[PATH_MAX];
	const char *number;
	ssize_t got;
	struct err err;
	auto_fd fd = closure_open(closure, object, &err);

	out[0] = '\0';
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	got = fd < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
	if (got <= 0)
		return;
	path[got] = '\0';
	number = strrchr(path, '/');
	number = number ? strstr(number, ".so.") : NULL;
	if (!number || strlen(number + 4) >= size)
		return;
	number += 4;
	if (number[strspn(number, "0123456789.")] == '\0')
		(void)snprintf(out, size, "%s", number);
}
