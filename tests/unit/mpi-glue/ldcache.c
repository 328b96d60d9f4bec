/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/ldcache.h"

#include "tests/unit/tap.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAX = 4096 };

static char file[MAX];
static size_t used;
static char names[MAX];

static void put(const void *data, size_t size)
{
	memcpy(file + used, data, size);
	used += size;
}

static void put_number(uint32_t number)
{
	put(&number, sizeof(number));
}

/* An old table of @old entries, if any, and a new one with the names of @text, which stand apart by
 * blanks. */
static void make(uint32_t old, const char *text)
{
	static const char none[24];
	uint32_t count = 1;
	size_t table, at;

	used = 0;
	memset(file, 0, sizeof(file));
	if (old > 0) {
		put("ld.so-1.7.0", 12);
		put_number(old);
		used += (size_t)old * 12;
		used = (used + 7) & ~(size_t)7;
	}
	table = used;
	for (const char *blank = text; (blank = strchr(blank, ' ')); blank++)
		count++;
	put("glibc-ld.so.cache1.1", 20);
	put_number(count);
	put_number((uint32_t)strlen(text) + 1);
	put(none, 20);
	at = 48 + (size_t)count * 24;
	for (const char *name = text; name;
	     name = strchr(name, ' ') ? strchr(name, ' ') + 1 : NULL) {
		put_number(1);
		put_number((uint32_t)(at + (size_t)(name - text)));
		put(none, 16);
	}
	put(text, strlen(text) + 1);
	for (char *c = file + table + at; *c; c++)
		if (*c == ' ')
			*c = '\0';
}

static void see(void *arg, const char *name)
{
	(void)arg;
	(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", name);
}

/* Read from a copy of exactly @size bytes, so that a sanitizer sees one byte too many. */
static int read_copy(size_t size)
{
	char *copy = malloc(size ? size : 1);
	int result;

	memcpy(copy, file, size);
	names[0] = '\0';
	result = ldcache_names(copy, size, see, NULL);
	free(copy);
	return result;
}

static void the_names_are_told(void)
{
	make(0, "libhwloc.so.15 libm.so.6");
	ok(read_copy(used) == 2, "two libraries");
	is_str(names, "libhwloc.so.15 libm.so.6 ", "by name");
	make(3, "liba.so.1");
	ok(read_copy(used) == 1, "behind an old table");
	is_str(names, "liba.so.1 ", "as well");
	make(2, "liba.so.1");
	ok(read_copy(used) == 1, "whatever its length");
}

static void a_cut_file_is_refused(void)
{
	int accepted = 0;

	make(3, "liba.so.1 libb.so.2");
	for (size_t size = 0; size < used; size++)
		accepted += read_copy(size) >= 0;
	ok(accepted == 0, "wherever it is cut");
}

static void numbers_are_not_trusted(void)
{
	static const uint32_t odd[] = {0xffffffff,    0x7fffffff, 0x80000000, 1 << 20,
				       (1 << 20) + 1, 4096,	  0xaaaaaab};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		make(1, "liba.so.1");
		memcpy(file + 12, &odd[i], 4);
		ok(read_copy(used) == -1, "the old table's length");
		make(0, "liba.so.1");
		memcpy(file + 20, &odd[i], 4);
		ok(read_copy(used) == -1, "the number of entries");
		make(0, "liba.so.1");
		memcpy(file + 48 + 4, &odd[i], 4);
		ok(read_copy(used) == -1, "where a name is");
	}
	make(0, "liba.so.1");
	file[used - 1] = 'x';
	ok(read_copy(used) == -1, "a name without an end");
	file[0] = 'G';
	ok(read_copy(used) == -1, "another file");
	memcpy(file, "ld.so-1.7.0", sizeof("ld.so-1.7.0"));
	ok(read_copy(12) == -1, "half a header");
}

static void no_byte_does_harm(void)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		make(round % 4, "liba.so.1 libhwloc.so.15 libc.so.6");
		for (int i = 0; i < 1 + round % 3; i++)
			file[(size_t)rand() % used] = (char)rand();
		(void)read_copy(used);
	}
	ok(true, "whatever it says");
}

int main(void)
{
	the_names_are_told();
	a_cut_file_is_refused();
	numbers_are_not_trusted();
	no_byte_does_harm();
	return done_testing();
}
