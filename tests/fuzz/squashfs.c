/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Read everything in an image that nobody vouches for: a target for libFuzzer
 * (make fuzz), and without it a program that reads the images named as arguments.
 * The image may be refused at any place; what must not happen is a memory error,
 * a size without bound, or a walk without end.
 */
#include "lib/own.h"
#include "lib/squashfs/squashfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 300,
	DEPTH_MAX = 16,
	CACHE_SIZE = 64 << 10, /* small, so that blocks are thrown out */
	VALUE_SIZE = 4096,
};

struct walk {
	struct squashfs_reader *reader;
	unsigned entries, depth;
	uint64_t sum; /* of all bytes, so that they are looked at */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(struct walk *walk, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		walk->sum += at[i];
}

static void read_at(struct walk *walk, const struct squashfs_inode *inode, uint64_t offset,
		    size_t size)
{
	struct squashfs_span span;
	struct err err;
	ssize_t got = squashfs_read(walk->reader, inode, offset, size, &span, &err);

	if (got < 0)
		return;
	for (int i = 0; i < span.count; i++) {
		look_at(walk, span.piece[i].iov_base, span.piece[i].iov_len);
		got -= (ssize_t)span.piece[i].iov_len;
	}
	squashfs_span_release(walk->reader, &span);
	if (got != 0)
		abort();
}

static void read_data(struct walk *walk, const struct squashfs_inode *inode)
{
	uint32_t block = squashfs_info(squashfs_reader_image(walk->reader))->block_size;

	read_at(walk, inode, 0, SQUASHFS_READ_MAX);
	read_at(walk, inode, block - 1, 2);
	read_at(walk, inode, inode->size / 2, block);
	read_at(walk, inode, inode->size - 1, 1);
	read_at(walk, inode, inode->size & ~(uint64_t)(block - 1), block);
}

static void read_xattrs(struct walk *walk, const struct squashfs_inode *inode)
{
	char names[VALUE_SIZE], value[VALUE_SIZE];
	struct err err;
	ssize_t size = squashfs_listxattr(walk->reader, inode, names, sizeof(names), &err);

	(void)squashfs_listxattr(walk->reader, inode, NULL, 0, &err);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t got = squashfs_getxattr(walk->reader, inode, names + at, value,
						sizeof(value), &err);

		if (got > 0)
			look_at(walk, value, (size_t)got);
	}
}

static void read_inode(struct walk *walk, uint64_t ref);

static int visit(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	struct walk *walk = arg;

	(void)position;
	if (++walk->entries > ENTRIES_MAX)
		return 1;
	if (strlen(entry->name) != entry->len)
		abort();
	read_inode(walk, entry->ref);
	return 0;
}

static void read_dir(struct walk *walk, const struct squashfs_inode *dir)
{
	struct squashfs_entry entry;
	uint64_t position = 0, ref;
	struct err err;

	for (int i = 0; i < 8 && squashfs_next(walk->reader, dir, &position, &entry, &err) > 0; i++)
		(void)squashfs_lookup(walk->reader, dir, entry.name, entry.len, &ref, &err);
	(void)squashfs_lookup(walk->reader, dir, "m", 1, &ref, &err);
	if (walk->depth >= DEPTH_MAX)
		return;
	walk->depth++;
	(void)squashfs_each(walk->reader, dir, 0, visit, walk, &err);
	walk->depth--;
}

static void read_inode(struct walk *walk, uint64_t ref)
{
	struct squashfs_inode inode;
	char target[VALUE_SIZE];
	uint32_t uid, gid;
	struct err err;

	if (squashfs_inode(walk->reader, ref, &inode, &err) < 0)
		return;
	(void)squashfs_owner(walk->reader, &inode, &uid, &gid, &err);
	read_xattrs(walk, &inode);
	if (S_ISREG(inode.mode))
		read_data(walk, &inode);
	else if (S_ISLNK(inode.mode))
		(void)squashfs_readlink(walk->reader, &inode, target, sizeof(target), &err);
	else if (S_ISDIR(inode.mode))
		read_dir(walk, &inode);
}

static uint64_t read_image(int fd, uint64_t size)
{
	static const char *const paths[] = {"/", "a/b/c/d", "/link/../x", "s", "./a/../.."};
	const struct squashfs_options options = {CACHE_SIZE, CACHE_SIZE};
	auto_squashfs *image = NULL;
	auto_squashfs_reader *reader = NULL;
	struct squashfs_inode inode;
	struct walk walk = {.entries = 0};
	struct err err;

	if (squashfs_open(fd, 0, size, "image", &options, &image, &err) < 0)
		return 0;
	if (squashfs_reader_new(image, &reader, &err) < 0)
		return 0;
	walk.reader = reader;
	read_inode(&walk, squashfs_info(image)->root);
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		(void)squashfs_resolve(reader, paths[i], &inode, &err);
	(void)squashfs_check(reader, &err);
	for (uint32_t ino = 0; ino < 4; ino++)
		(void)squashfs_export(reader, ino, &walk.sum, &err);
	return walk.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	(void)read_image(fd, size);
	return 0;
}

#ifndef FUZZ_LIBFUZZER
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		auto_fd fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0) {
			perror(argv[i]);
			return 1;
		}
		printf("%s: %llx\n", argv[i],
		       (unsigned long long)read_image(fd, (uint64_t)st.st_size));
	}
	return 0;
}
#endif
