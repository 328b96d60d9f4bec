/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for the tar reader: all entries, all their data, all that they say.
 * Without the fuzzer (FUZZ_LIBFUZZER undefined) the same program reads the archives
 * named to it.
 */
#include "builder/tar/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 2000, READ_SIZE = 300 };

/* Gives the bytes a few at a time, as a decompressor may. */
struct bytes {
	struct stream stream;
	const uint8_t *data;
	size_t size, at;
};

static ssize_t bytes_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct bytes *bytes = (struct bytes *)stream;
	size_t left = bytes->size - bytes->at, n = size < 777 ? size : 777;

	(void)err;
	n = n < left ? n : left;
	if (n > 0)
		memcpy(buffer, bytes->data + bytes->at, n);
	bytes->at += n;
	return (ssize_t)n;
}

static void bytes_close(struct stream *stream)
{
	(void)stream;
}

/* Every byte that an entry points to: the sanitizers watch. */
static uint64_t sum(uint64_t state, const void *data, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < size; i++)
		state = (state ^ byte[i]) * 0x100000001b3ull;
	return state;
}

static uint64_t look_at(const struct tar_entry *entry)
{
	uint64_t state = sum(entry->size, entry->path, strlen(entry->path)), end = 0, stored = 0;

	if (strlen(entry->path) > TAR_NAME_MAX || entry->mode & ~07777u)
		abort();
	if (entry->type == TAR_SYMLINK || entry->type == TAR_HARDLINK)
		state = sum(state, entry->link, strlen(entry->link));
	for (size_t i = 0; i < entry->xattr_count; i++) {
		state = sum(state, entry->xattr[i].name, strlen(entry->xattr[i].name));
		state = sum(state, entry->xattr[i].value, entry->xattr[i].size);
	}
	for (size_t i = 0; entry->segment && i < entry->segment_count; i++) {
		if (entry->segment[i].offset < end ||
		    entry->segment[i].size > entry->size - entry->segment[i].offset)
			abort();
		end = entry->segment[i].offset + entry->segment[i].size;
		stored += entry->segment[i].size;
	}
	if (stored != (entry->segment ? entry->stored : 0) || end > entry->size)
		abort();
	return state;
}

static uint64_t read_archive(const uint8_t *data, size_t size, struct err *err)
{
	struct bytes bytes = {{bytes_read, bytes_close}, data, size, 0};
	auto_tar *tar = NULL;
	struct tar_entry entry;
	uint64_t state = 0;
	char buffer[READ_SIZE];
	ssize_t n;

	*err = (struct err){.code = 0};
	if (tar_open(&bytes.stream, &tar, err) < 0)
		return 0;
	for (int i = 0; i < ENTRIES_MAX && tar_next(tar, &entry, err) > 0; i++) {
		state ^= look_at(&entry);
		/* Every third is left unread, for tar_next() to pass over. */
		while (i % 3 != 2 && (n = tar_read(tar, buffer, sizeof(buffer), err)) > 0)
			state = sum(state, buffer, (size_t)n);
	}
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	(void)read_archive(data, size, &err);
	return 0;
}

#ifndef FUZZ_LIBFUZZER
int main(int argc, char **argv)
{
	static uint8_t data[64 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");
		struct err err;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		err.text[0] = 0;
		printf("%s: %llx", argv[i],
		       (unsigned long long)read_archive(data, fread(data, 1, sizeof(data), file),
							&err));
		printf(" %s\n", err.text);
		(void)fclose(file);
	}
	return 0;
}
#endif
