/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The tar reader: which of several names counts, and where an archive may end. */
#include "builder/tar/tar.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 512 };

/* An archive in the making. */
struct archive {
	char data[64 << 10];
	size_t size;
};

struct memory {
	struct stream stream;
	const struct archive *archive;
	size_t at, size;
};

static ssize_t memory_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct memory *memory = (struct memory *)stream;
	size_t left = memory->size - memory->at;

	(void)err;
	size = size < left ? size : left;
	size = size < 100 ? size : 100; /* streams give less than asked for */
	memcpy(buffer, memory->archive->data + memory->at, size);
	memory->at += size;
	return (ssize_t)size;
}

static void memory_close(struct stream *stream)
{
	(void)stream;
}

static struct memory in_memory(const struct archive *archive, size_t size)
{
	return (struct memory){{memory_read, memory_close}, archive, 0, size};
}

static void add(struct archive *archive, char type, const char *name, const char *link,
		const void *data, size_t size)
{
	char *block = archive->data + archive->size;
	unsigned sum = 0;

	memset(block, 0, BLOCK);
	memcpy(block, name, strnlen(name, 100));
	memcpy(block + 157, link, strnlen(link, 100));
	(void)snprintf(block + 100, 8, "%07o", 0644U);
	(void)snprintf(block + 108, 8, "%07o", 11U);
	(void)snprintf(block + 116, 8, "%07o", 12U);
	(void)snprintf(block + 124, 12, "%011o", (unsigned)size & 0777777777);
	(void)snprintf(block + 136, 12, "%011o", 1000U);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum & 0777777);
	memcpy(block + BLOCK, data, size);
	archive->size += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* One pax record behind the others. */
static void record(char *records, size_t room, const char *key, const char *value)
{
	size_t used = strlen(records);
	size_t len = strlen(key) + strlen(value) + 3, digits = len < 9	   ? 1
							       : len < 98  ? 2
							       : len < 997 ? 3
									   : 4;

	(void)snprintf(records + used, room - used, "%zu %s=%s\n", len + digits, key, value);
}

static void add_pax(struct archive *archive, char type, const char *key, const char *value)
{
	char records[6000] = "";

	record(records, sizeof(records), key, value);
	add(archive, type, "PaxHeader", "", records, strlen(records));
}

static void add_long(struct archive *archive, char type, const char *text)
{
	add(archive, type, "././@LongLink", "", text, strlen(text) + 1);
}

static const char *name_of_size(size_t size, char fill)
{
	static char names[4][6000];
	static int next;
	char *name = names[next++ % 4];

	memset(name, fill, size);
	name[size] = 0;
	return name;
}

/* The only entry of @archive, as "PATH > LINK"; the error's text where there is none. */
static const char *only(const struct archive *archive)
{
	static char text[9000];
	struct memory memory = in_memory(archive, archive->size);
	auto_tar *tar = NULL;
	struct tar_entry entry, next;
	struct err err;

	if (tar_open(&memory.stream, &tar, &err) < 0 || tar_next(tar, &entry, &err) != 1) {
		(void)snprintf(text, sizeof(text), "%s", err.text);
		return text;
	}
	(void)snprintf(text, sizeof(text), "%s%s%s", entry.path, *entry.link ? " > " : "",
		       entry.link);
	if (tar_next(tar, &next, &err) != 0)
		return "more than one";
	return text;
}

static void the_long_name_survives_what_comes_between(void)
{
	static const char *const orders[] = {"Lx",  "xL",  "LKx", "KLx",  "LxK", "xLK",
					     "Lxg", "gLx", "Lgx", "LxxK", "VLx"};

	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		const char *path = name_of_size(200, 'p'), *link = name_of_size(150, 'l');
		struct archive archive = {.size = 0};
		bool has_link = strchr(orders[i], 'K');
		char wanted[400];

		for (const char *type = orders[i]; *type; type++) {
			if (*type == 'L' || *type == 'K')
				add_long(&archive, *type, *type == 'L' ? path : link);
			else if (*type == 'V')
				add(&archive, 'V', "label", "", "", 0);
			else
				add_pax(&archive, *type, *type == 'x' ? "mtime" : "uid", "5");
		}
		add(&archive, has_link ? '2' : '0', "short", has_link ? "cut" : "", "", 0);
		(void)snprintf(wanted, sizeof(wanted), "%s%s%s", path, has_link ? " > " : "",
			       has_link ? link : "");
		is_str(only(&archive), wanted, orders[i]);
	}
}

static void a_pax_name_goes_before_a_gnu_name(void)
{
	struct archive archive = {.size = 0};

	add_long(&archive, 'L', "gnu");
	add_pax(&archive, 'x', "path", "pax");
	add(&archive, '0', "header", "", "", 0);
	is_str(only(&archive), "pax", "L, then a pax path");
	archive.size = 0;
	add_pax(&archive, 'x', "path", "pax");
	add_long(&archive, 'L', "gnu");
	add(&archive, '0', "header", "", "", 0);
	is_str(only(&archive), "pax", "a pax path, then L");
	archive.size = 0;
	add_long(&archive, 'K', "gnu");
	add_pax(&archive, 'x', "linkpath", "pax");
	add(&archive, '2', "a", "header", "", 0);
	is_str(only(&archive), "a > pax", "K, then a pax linkpath");
	archive.size = 0;
	add_long(&archive, 'L', "");
	add(&archive, '0', "header", "", "", 0);
	is_str(only(&archive), "header", "an empty long name is none");
}

static void a_name_counts_for_one_entry(void)
{
	struct archive archive = {.size = 0};
	struct memory memory;
	auto_tar *tar = NULL;
	struct tar_entry entry;
	struct err err;

	add_long(&archive, 'L', "long");
	add_pax(&archive, 'x', "uid", "7");
	add(&archive, '0', "a", "", "", 0);
	add(&archive, '0', "b", "", "", 0);
	memory = in_memory(&archive, archive.size);
	ok(tar_open(&memory.stream, &tar, &err) == 0 && tar_next(tar, &entry, &err) == 1 &&
		   entry.uid == 7,
	   "the first entry has them");
	is_str(entry.path, "long", "and its name");
	ok(tar_next(tar, &entry, &err) == 1 && entry.uid == 11, "the second has its own");
	is_str(entry.path, "b", "and its name");
	ok(tar_next(tar, &entry, &err) == 0 && tar_is_cut(tar), "no end is told");
}

static void a_global_header_does_not_undo_the_entrys(void)
{
	struct archive archive = {.size = 0};
	struct memory memory;
	auto_tar *tar = NULL;
	struct tar_entry entry;
	struct err err;

	add_pax(&archive, 'x', "uid", "7");
	add_pax(&archive, 'g', "uid", "8");
	add_pax(&archive, 'g', "gid", "9");
	add(&archive, '0', "a", "", "", 0);
	add(&archive, '0', "b", "", "", 0);
	memory = in_memory(&archive, archive.size);
	ok(tar_open(&memory.stream, &tar, &err) == 0 && tar_next(tar, &entry, &err) == 1,
	   "an entry behind x, g, g");
	ok(entry.uid == 7 && entry.gid == 9, "has its own owner, and the global group");
	ok(tar_next(tar, &entry, &err) == 1 && entry.uid == 8 && entry.gid == 9,
	   "the next has the global ones");
}

/* How many entries and bytes of data come of the first @size bytes; -1 for an error. */
static int read_cut(const struct archive *archive, size_t size, size_t *bytes)
{
	struct memory memory = in_memory(archive, size);
	auto_tar *tar = NULL;
	struct tar_entry entry;
	char buffer[300];
	struct err err;
	int count = 0, result;
	ssize_t n = 0;

	*bytes = 0;
	if (tar_open(&memory.stream, &tar, &err) < 0)
		return -1;
	while ((result = tar_next(tar, &entry, &err)) > 0) {
		count++;
		while ((n = tar_read(tar, buffer, sizeof(buffer), &err)) > 0)
			*bytes += (size_t)n;
		if (n < 0)
			return -1;
	}
	return result < 0 ? -1 : count;
}

static void an_archive_may_end_behind_its_last_byte(void)
{
	struct archive archive = {.size = 0};
	size_t bytes, wrong = 0, end = 4 * BLOCK + 3;
	char data[1000];

	memset(data, 'd', sizeof(data));
	add(&archive, '0', "a", "", data, sizeof(data));
	add(&archive, '0', "b", "", "end", 3);
	memset(archive.data + archive.size, 0, (size_t)2 * BLOCK);
	archive.size += (size_t)2 * BLOCK;
	for (size_t size = end; size <= archive.size; size++)
		wrong += read_cut(&archive, size, &bytes) != 2 || bytes != sizeof(data) + 3;
	ok(wrong == 0, "it may end anywhere behind the last file's last byte");
	for (size_t size = 3 * BLOCK + 1; size < end; size++)
		wrong += read_cut(&archive, size, &bytes) != -1;
	ok(wrong == 0, "but not in a header, nor in a file's data");
	for (size_t size = BLOCK + sizeof(data); size <= (size_t)3 * BLOCK; size++)
		wrong += read_cut(&archive, size, &bytes) != 1;
	ok(wrong == 0, "padding may be short in front of nothing");
	for (size_t size = 1; size < BLOCK + sizeof(data); size++)
		wrong += read_cut(&archive, size, &bytes) != -1;
	ok(wrong == 0, "the first file must be whole as well");
}

static void what_is_announced_must_come(void)
{
	struct archive archive = {.size = 0};

	add_long(&archive, 'L', "long");
	is_str(only(&archive), "the archive ends behind an extended header",
	       "an end behind a long name");
	archive.size = 0;
	add_pax(&archive, 'x', "path", "pax");
	archive.size = BLOCK + 5;
	is_str(only(&archive), "'PaxHeader': the archive ends too soon",
	       "an end inside of records");
}

static void names_have_a_limit(void)
{
	struct archive archive = {.size = 0};

	add_long(&archive, 'L', name_of_size(TAR_NAME_MAX, 'n'));
	add(&archive, '0', "a", "", "", 0);
	ok(strlen(only(&archive)) == TAR_NAME_MAX, "a name of %d bytes", TAR_NAME_MAX);
	archive.size = 0;
	add_long(&archive, 'L', name_of_size(TAR_NAME_MAX + 1, 'n'));
	add(&archive, '0', "a", "", "", 0);
	ok(strstr(only(&archive), "more than"), "not of one more");
	archive.size = 0;
	add_pax(&archive, 'x', "path", name_of_size(TAR_NAME_MAX + 1, 'n'));
	add(&archive, '0', "a", "", "", 0);
	ok(strstr(only(&archive), "more than"), "nor by pax");
}

static void a_slash_at_the_end_makes_a_directory(void)
{
	static const char types[] = {0, '0', '7'};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct archive archive = {.size = 0};
		struct memory memory;
		auto_tar *tar = NULL;
		struct tar_entry entry;
		struct err err;

		add(&archive, types[i], "d/", "", "", 0);
		add(&archive, types[i], "e", "", "", 0);
		memory = in_memory(&archive, archive.size);
		ok(tar_open(&memory.stream, &tar, &err) == 0 && tar_next(tar, &entry, &err) == 1 &&
			   entry.type == TAR_DIRECTORY,
		   "of a file's type %d", types[i]);
		ok(tar_next(tar, &entry, &err) == 1 && entry.type == TAR_FILE, "and no other");

		struct archive contrary = {.size = 0};

		add(&contrary, types[i], "d/", "", "data", 4);
		ok(strstr(only(&contrary), "the name of a directory"), "data belong to a file");
	}
}

/* The value of the only attribute of a file with this record. */
static const char *attribute(const char *key, const char *value)
{
	static char text[500];
	struct archive archive = {.size = 0};
	struct memory memory;
	auto_tar *tar = NULL;
	struct tar_entry entry;
	struct err err;

	add_pax(&archive, 'x', key, value);
	add(&archive, '0', "a", "", "", 0);
	memory = in_memory(&archive, archive.size);
	if (tar_open(&memory.stream, &tar, &err) < 0 || tar_next(tar, &entry, &err) != 1)
		return "refused";
	if (entry.xattr_count != 1)
		return "none";
	(void)snprintf(text, sizeof(text), "%s=%.*s", entry.xattr->name, (int)entry.xattr->size,
		       (const char *)entry.xattr->value);
	return text;
}

static void attributes_come_in_two_codings(void)
{
	is_str(attribute("SCHILY.xattr.user.a", "bar="), "user.a=bar=", "as they are");
	is_str(attribute("LIBARCHIVE.xattr.user.a", "YmFy"), "user.a=bar", "in base64");
	is_str(attribute("LIBARCHIVE.xattr.user.a", "YmE"), "user.a=ba", "without padding");
	is_str(attribute("LIBARCHIVE.xattr.user.a", "Yg=="), "user.a=b", "with padding");
	is_str(attribute("LIBARCHIVE.xattr.user.%25%3d%C3%A4%", "Yg"), "user.%=\303\244%=b",
	       "a name as in an URL");
	is_str(attribute("LIBARCHIVE.xattr.user.a%00b", "Yg"), "refused", "a NUL in a name");
	is_str(attribute("LIBARCHIVE.xattr.user.a", "Y"), "refused", "half a byte");
	is_str(attribute("LIBARCHIVE.xattr.user.a", "Y*=="), "refused", "what is no base64");
	is_str(attribute("LIBARCHIVE.xattr.", "Yg"), "refused", "no name");
}

int main(void)
{
	attributes_come_in_two_codings();
	a_slash_at_the_end_makes_a_directory();
	the_long_name_survives_what_comes_between();
	a_pax_name_goes_before_a_gnu_name();
	a_name_counts_for_one_entry();
	a_global_header_does_not_undo_the_entrys();
	an_archive_may_end_behind_its_last_byte();
	what_is_announced_must_come();
	names_have_a_limit();
	return done_testing();
}
