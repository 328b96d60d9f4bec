/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/ldcache.h"

#include "lib/file.h"
#include "mpi-glue/loader/hwcaps.h"
#include "tests/unit/tap.h"

#include <elf.h>
#include <fcntl.h>
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

/* An entry as ldconfig writes it; a level is the number of a name in levels[] and one. */
struct entry {
	const char *name, *path;
	uint32_t flags, level, kind;
};

enum { X86 = 0x0303, ARM = 0x0a03, LEVEL = 1 << 30 };

static const char *const level_names[] = {"x86-64-v2", "x86-64-v3"};

static uint32_t pool_put(char *pool, size_t *size, const char *text)
{
	size_t at = *size;

	memcpy(pool + at, text, strlen(text) + 1);
	*size += strlen(text) + 1;
	return (uint32_t)at;
}

/* The entries, the names, and the list of levels. */
static void make_entries(const struct entry *entry, uint32_t count)
{
	static const char none[12];
	char pool[2048];
	size_t base = 48 + (size_t)count * 24, size = 0;
	uint32_t level[2], extension[6] = {0xeaa42174, 1, 1, 0, 0, sizeof(level)};

	used = 0;
	memset(file, 0, sizeof(file));
	put("glibc-ld.so.cache1.1", 20);
	put_number(count);
	put_number(0);
	put_number(2);
	used += 16;
	for (uint32_t i = 0; i < count; i++) {
		put_number(entry[i].flags);
		put_number((uint32_t)base + pool_put(pool, &size, entry[i].name));
		put_number((uint32_t)base + pool_put(pool, &size, entry[i].path));
		put_number(0);
		put_number(entry[i].level);
		put_number(entry[i].kind);
	}
	for (int i = 0; i < 2; i++)
		level[i] = (uint32_t)base + pool_put(pool, &size, level_names[i]);
	put(pool, size);
	put(none, (4 - used % 4) % 4);
	extension[4] = (uint32_t)used + sizeof(extension);
	memcpy(file + 32, &(uint32_t){(uint32_t)used}, 4);
	put(extension, sizeof(extension));
	put(level, sizeof(level));
}

static const struct entry entries[] = {
	{"libz.so.10", "/lib/libz.so.10", X86, 0, 0},
	{"libz.so.9", "/lib/libz.so.9", X86, 0, 0},
	{"libm.so.6", "/lib/v3/libm.so.6", X86, 1, LEVEL},
	{"libm.so.6", "/lib/v2/libm.so.6", X86, 0, LEVEL | 3},
	{"libm.so.6", "/lib/old/libm.so.6", X86, 8, 0},
	{"libm.so.6", "/lib/libm.so.6", X86, 0, 0},
	{"libm.so.6", "/lib/aarch64/libm.so.6", ARM, 0, 0},
	{"libm.so.6", "/lib32/libm.so.6", 3, 0, 0},
	{"liba.so.1", "/lib32/liba.so.1", 3, 0, 0},
};

/* What is found in what was made, in a copy of its size; "" for nothing. */
static const char *find(const char *name, uint16_t machine, const char *const *levels)
{
	static char found[200];
	char *copy = malloc(used);
	struct ldcache cache;
	const char *path = NULL;

	memcpy(copy, file, used);
	if (ldcache_open(&cache, copy, used, machine) == 0)
		path = ldcache_find(&cache, name, levels);
	(void)snprintf(found, sizeof(found), "%s", path ? path : "");
	free(copy);
	return found;
}

static void a_library_is_found(void)
{
	static const char *const none[] = {NULL};

	make_entries(entries, 9);
	is_str(find("libz.so.10", EM_X86_64, none), "/lib/libz.so.10", "numbers have a value");
	is_str(find("libz.so.9", EM_X86_64, none), "/lib/libz.so.9", "ten is more than nine");
	is_str(find("libz.so.09", EM_X86_64, none), "", "and a name is one by its letters");
	is_str(find("libm.so.6", EM_X86_64, none), "/lib/libm.so.6", "for any processor");
	is_str(find("libm.so.6", EM_AARCH64, none), "/lib/aarch64/libm.so.6", "of this machine");
	is_str(find("liba.so.1", EM_X86_64, none), "", "one of 32 bits is none");
	is_str(find("libx.so.1", EM_X86_64, none), "", "what is not there is not found");
	is_str(find("", EM_X86_64, none), "", "nor is nothing");
	is_str(find("libm.so.6", EM_PPC64, none), "", "nor anything of other machines");
}

static void the_best_level_wins(void)
{
	static const char *const three[] = {"x86-64-v3", "x86-64-v2", NULL};
	static const char *const two[] = {"x86-64-v2", NULL};

	make_entries(entries, 9);
	is_str(find("libm.so.6", EM_X86_64, three), "/lib/v3/libm.so.6", "of what there is");
	is_str(find("libm.so.6", EM_X86_64, two), "/lib/v2/libm.so.6", "and can run");
}

static void a_search_ends_whatever_is_written(void)
{
	static const char *const three[] = {"x86-64-v3", "x86-64-v2", NULL};

	srand(2);
	for (int round = 0; round < 20000; round++) {
		make_entries(entries, 9);
		for (int i = 0; i < 1 + round % 4; i++)
			file[(size_t)rand() % used] = (char)rand();
		(void)find("libm.so.6", EM_X86_64, three);
	}
	ok(true, "and finds what it may");
}

/* The cache of this machine, if it has one. */
static void the_real_one_is_read(void)
{
	char *text = NULL;
	size_t size;
	struct err err;
	struct ldcache cache;
#if defined(__aarch64__)
	const uint16_t machine = EM_AARCH64;
#else
	const uint16_t machine = EM_X86_64;
#endif

	if (file_read(AT_FDCWD, "/etc/ld.so.cache", 8 << 20, &text, &size, &err) < 0 ||
	    ldcache_open(&cache, text, size, machine) < 0) {
		ok(true, "# SKIP no cache of this machine's loader");
	} else {
		const char *path = ldcache_find(&cache, "libc.so.6", hwcaps_levels(machine));

		ok(path && path[0] == '/' && strstr(path, "/libc.so.6"), "it knows libc: %s",
		   path ? path : "no");
	}
	free(text);
}

int main(void)
{
	the_names_are_told();
	a_cut_file_is_refused();
	numbers_are_not_trusted();
	no_byte_does_harm();
	a_library_is_found();
	the_best_level_wins();
	a_search_ends_whatever_is_written();
	the_real_one_is_read();
	return done_testing();
}
