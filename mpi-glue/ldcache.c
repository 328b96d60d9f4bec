/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/ldcache.h"

#include <stdint.h>
#include <string.h>

enum {
	OLD_HEADER = 16,  /* magic of 11, one of padding, the number of entries */
	OLD_COUNT = 12,
	OLD_ENTRY = 12,
	NEW_HEADER = 48,  /* magic of 20, the number of entries, size of the names, flags, ... */
	NEW_COUNT = 20,
	NEW_ENTRY = 24,   /* flags, name, path, version, capabilities */
	NEW_NAME = 4,
	NEW_ALIGN = 8,
	ENTRIES_MAX = 1 << 20,
};

static const char old_magic[] = "ld.so-1.7.0";
static const char new_magic[] = "glibc-ld.so.cache1.1";

static uint32_t number_at(const char *data, size_t at)
{
	uint32_t number;

	memcpy(&number, data + at, sizeof(number));
	return number;
}

/* Where the new table begins, or @size when there is none. */
static size_t find_table(const char *data, size_t size)
{
	size_t at = 0;

	if (size >= OLD_HEADER && memcmp(data, old_magic, sizeof(old_magic) - 1) == 0) {
		uint32_t count = number_at(data, OLD_COUNT);

		if (count > ENTRIES_MAX)
			return size;
		at = OLD_HEADER + (size_t)count * OLD_ENTRY;
		at = (at + NEW_ALIGN - 1) & ~(size_t)(NEW_ALIGN - 1);
	}
	if (at > size || size - at < NEW_HEADER ||
	    memcmp(data + at, new_magic, sizeof(new_magic) - 1) != 0)
		return size;
	return at;
}

int ldcache_names(const void *data, size_t size, void (*seen)(void *arg, const char *name),
		  void *arg)
{
	size_t begin = find_table(data, size);
	const char *table = (const char *)data + begin;
	uint32_t count;

	size -= begin;
	if (size == 0)
		return -1;
	count = number_at(table, NEW_COUNT);
	if (count > ENTRIES_MAX || (size - NEW_HEADER) / NEW_ENTRY < count)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t name = number_at(table, NEW_HEADER + (size_t)i * NEW_ENTRY + NEW_NAME);

		if (name >= size || !memchr(table + name, '\0', size - name))
			return -1;
		seen(arg, table + name);
	}
	return (int)count;
}
