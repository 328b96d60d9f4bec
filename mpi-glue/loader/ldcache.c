/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/ldcache.h"

#include <ctype.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	OLD_HEADER = 16, /* magic of 11, one of padding, the number of entries */
	OLD_COUNT = 12,
	OLD_ENTRY = 12,
	NEW_HEADER = 48, /* magic of 20, the number of entries, size of the names, flags, ... */
	NEW_COUNT = 20,
	NEW_ORDER = 28, /* the byte order: 2 in the lowest two bits is little-endian, 0 unknown */
	NEW_EXTENSION = 32,
	NEW_ENTRY = 24, /* flags, name, path, version, capabilities */
	NEW_NAME = 4,
	NEW_PATH = 8,
	NEW_LEVEL = 16, /* of the capabilities, the number of a level, */
	NEW_KIND = 20,	/* and whether it is one */
	NEW_ALIGN = 8,
	ENTRIES_MAX = 1 << 20,

	ORDER_MASK = 3,
	ORDER_BIG = 3,
	EXTENSION = 8, /* magic, the number of sections */
	SECTION = 16,  /* tag, flags, offset, size */
	SECTIONS_MAX = 64,
	SECTION_LEVELS = 1,
	LEVELS_MAX = 256,
	TWINS_MAX = 256, /* entries of one name that are looked at */

	LIBC6_X86_64 = 0x0303,
	LIBC6_AARCH64 = 0x0a03,
};

static const uint32_t extension_magic = 0xeaa42174;

/* The upper half of an entry's capabilities, without what says which processors it is for. */
static const uint32_t kind_mask = ~UINT32_C(0x3ff), kind_level = UINT32_C(1) << 30;

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

/* The string at offset @at of the table, or NULL. */
static const char *string_at(const struct ldcache *cache, uint32_t at)
{
	if (at >= cache->size || !memchr(cache->table + at, '\0', cache->size - at))
		return NULL;
	return cache->table + at;
}

static uint32_t entry_at(const struct ldcache *cache, uint32_t entry, size_t field)
{
	return number_at(cache->table, NEW_HEADER + (size_t)entry * NEW_ENTRY + field);
}

/* Find the list of levels among the extensions; without it, there are none. */
static void find_levels(struct ldcache *cache, const char *data, size_t size)
{
	size_t at = number_at(cache->table, NEW_EXTENSION);
	uint32_t sections;

	if (at == 0 || at > size || size - at < EXTENSION || number_at(data, at) != extension_magic)
		return;
	sections = number_at(data, at + 4);
	at += EXTENSION;
	if (sections > SECTIONS_MAX || (size - at) / SECTION < sections)
		return;
	for (; sections > 0; sections--, at += SECTION) {
		uint32_t where = number_at(data, at + 8), bytes = number_at(data, at + 12);

		if (number_at(data, at) != SECTION_LEVELS || where > size || size - where < bytes ||
		    bytes / sizeof(uint32_t) > LEVELS_MAX)
			continue;
		cache->levels = data + where;
		cache->level_count = bytes / sizeof(uint32_t);
	}
}

int ldcache_open(struct ldcache *cache, const void *data, size_t size, uint16_t machine)
{
	size_t begin = find_table(data, size);

	*cache = (struct ldcache){.table = (const char *)data + begin, .size = size - begin};
	if (cache->size == 0)
		return -1;
	cache->count = number_at(cache->table, NEW_COUNT);
	if (cache->count > ENTRIES_MAX || (cache->size - NEW_HEADER) / NEW_ENTRY < cache->count ||
	    (cache->table[NEW_ORDER] & ORDER_MASK) == ORDER_BIG)
		return -1;
	if (machine != EM_X86_64 && machine != EM_AARCH64)
		return -1;
	cache->flags = machine == EM_X86_64 ? LIBC6_X86_64 : LIBC6_AARCH64;
	find_levels(cache, data, size);
	return 0;
}

/* The number that begins at *@text, which is left behind; one too large is the largest. */
static uint32_t take_number(const char **text)
{
	uint32_t number = 0;

	for (; isdigit((unsigned char)**text); (*text)++) {
		uint32_t digit = (uint32_t)(**text - '0');

		number = number > (UINT32_MAX - digit) / 10 ? UINT32_MAX : number * 10 + digit;
	}
	return number;
}

/* ldconfig's order: bytes, but numbers by their value, and those behind all else. */
static int compare(const char *a, const char *b)
{
	while (*a) {
		bool number = isdigit((unsigned char)*a);

		if (number != !!isdigit((unsigned char)*b))
			return number ? 1 : -1;
		if (number) {
			uint32_t of_a = take_number(&a), of_b = take_number(&b);

			if (of_a != of_b)
				return of_a < of_b ? -1 : 1;
		} else if (*a != *b) {
			return *a < *b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *b ? -1 : 0;
}

/* The first entry of @name, or the number of entries. They stand in falling order. */
static uint32_t find_first(const struct ldcache *cache, const char *name)
{
	uint32_t low = 0, high = cache->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *other = string_at(cache, entry_at(cache, middle, NEW_NAME));

		if (!other)
			return cache->count;
		if (compare(name, other) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How good entry @entry is on this machine: 0 the best; -1 not at all; INT32_MAX for any. */
static int32_t rank_of(const struct ldcache *cache, uint32_t entry, const char *const *levels)
{
	uint32_t level = entry_at(cache, entry, NEW_LEVEL), kind = entry_at(cache, entry, NEW_KIND);
	const char *name;

	if (entry_at(cache, entry, 0) != cache->flags)
		return -1;
	if (level == 0 && kind == 0)
		return INT32_MAX;
	if ((kind & kind_mask) != kind_level || level >= cache->level_count)
		return -1;
	name = string_at(cache, number_at(cache->levels, (size_t)level * sizeof(uint32_t)));
	for (int32_t i = 0; name && levels && levels[i]; i++)
		if (strcmp(levels[i], name) == 0)
			return i;
	return -1;
}

const char *ldcache_find(const struct ldcache *cache, const char *name, const char *const *levels)
{
	uint32_t entry = find_first(cache, name), tried = 0;
	const char *path = NULL;
	int32_t best = -1;

	for (; entry < cache->count && tried < TWINS_MAX; entry++, tried++) {
		const char *other = string_at(cache, entry_at(cache, entry, NEW_NAME));
		int32_t rank = rank_of(cache, entry, levels);

		if (!other || compare(other, name) != 0)
			break;
		if (rank < 0 || (best >= 0 && rank >= best) || strcmp(other, name) != 0)
			continue;
		best = rank;
		path = string_at(cache, entry_at(cache, entry, NEW_PATH));
	}
	return path;
}
