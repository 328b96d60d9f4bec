/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A broken image gets a sentence that names it, and never more than that: each
 * damage has a name here, and then every byte of a small image is bent in turn.
 */
#include "lib/squashfs/squashfs.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static uint8_t *good;
static size_t good_size;

static void load_good(void)
{
	auto_fd fd = open("image", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		bail("cannot open the image");
	free(good);
	good_size = (size_t)st.st_size;
	good = malloc(good_size);
	if (!good || pread(fd, good, good_size, 0) != (ssize_t)good_size)
		bail("cannot read the image");
}

static void put(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* An image in memory, opened as far as it goes. */
static int open_bytes(const uint8_t *bytes, size_t size, struct opened *opened, struct err *err)
{
	*opened = (struct opened){.fd = memfd_create("image", MFD_CLOEXEC)};
	if (opened->fd < 0 || write(opened->fd, bytes, size) != (ssize_t)size)
		bail("cannot make an image in memory");
	if (squashfs_open(opened->fd, 0, size, "x.sqfs", NULL, &opened->image, err) < 0)
		return -1;
	return squashfs_reader_new(opened->image, &opened->reader, err);
}

struct walk {
	struct squashfs_reader *reader;
	unsigned depth;
	struct err *err;
};

static int walk_inode(struct walk *walk, uint64_t ref);

static int visit(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	(void)position;
	return walk_inode(arg, entry->ref);
}

static int walk_inode(struct walk *walk, uint64_t ref)
{
	struct squashfs_inode inode;
	char bytes[8192];
	uint32_t uid, gid;
	int result = 0;

	if (walk->depth > 8)
		return 0;
	if (squashfs_inode(walk->reader, ref, &inode, walk->err) < 0 ||
	    squashfs_owner(walk->reader, &inode, &uid, &gid, walk->err) < 0 ||
	    squashfs_listxattr(walk->reader, &inode, NULL, 0, walk->err) < 0)
		return -1;
	walk->depth++;
	if (S_ISDIR(inode.mode))
		result = squashfs_each(walk->reader, &inode, 0, visit, walk, walk->err);
	else if (S_ISREG(inode.mode))
		result =
			squashfs_pread(walk->reader, &inode, bytes, sizeof(bytes), 0, walk->err) < 0
				? -1
				: 0;
	else if (S_ISLNK(inode.mode))
		result =
			squashfs_readlink(walk->reader, &inode, bytes, sizeof(bytes), walk->err) < 0
				? -1
				: 0;
	walk->depth--;
	return result;
}

/* Open the bytes and read all of them: 0, or -1 with the first error. */
static int read_bytes(const uint8_t *bytes, size_t size, struct err *err)
{
	auto_opened opened = {.fd = -1};
	struct walk walk = {.err = err};

	if (open_bytes(bytes, size, &opened, err) < 0)
		return -1;
	walk.reader = opened.reader;
	return walk_inode(&walk, squashfs_info(opened.image)->root);
}

static const struct {
	const char *name;
	size_t at; /* in the superblock */
	uint64_t value;
	size_t size;
	const char *text; /* part of the message */
} supers[] = {
	{"another magic", 0, 0x12345678, 4, "'x.sqfs' is not a squashfs image"},
	{"version 3", 28, 3, 2, "version 3.0"},
	{"version 4.1", 30, 1, 2, "version 4.1"},
	{"compression lzo", 20, 3, 2, "compression 'lzo' (3)"},
	{"an unknown compression", 20, 77, 2, "compression 'unknown' (77)"},
	{"a block size of 0", 12, 0, 4, "block size is 0"},
	{"a block size of 2 MiB", 12, 2 << 20, 4, "block size"},
	{"a block size unlike its logarithm", 22, 18, 2, "block size"},
	{"a logarithm of 65535", 22, 65535, 2, "block size"},
	{"a size of 0", 40, 0, 8, "its size is given as 0 bytes"},
	{"a size beyond the file", 40, 1 << 30, 8, "'x.sqfs' is truncated"},
	{"a size of 2^64 - 1", 40, UINT64_MAX, 8, "'x.sqfs' is truncated"},
	{"no inodes", 4, 0, 4, "no inodes"},
	{"no ids", 26, 0, 2, "no inodes or no ids"},
	{"an id table outside", 48, 1 << 30, 8, "the id table lies outside"},
	{"an id table in the superblock", 48, 8, 8, "the id table lies outside"},
	{"an xattr table outside", 56, 1 << 30, 8, "lie outside"},
	{"an inode table outside", 64, 1 << 30, 8, "tables"},
	{"an inode table behind the directories", 64, UINT64_MAX, 8, "tables"},
	{"a directory table outside", 72, 1 << 30, 8, "tables"},
	{"a fragment table outside", 80, 1 << 30, 8, "the fragment table lies outside"},
	{"4 billion fragments", 16, UINT32_MAX, 4, "the fragment table lies outside"},
	{"a root that leads nowhere", 32, UINT64_MAX, 8, "inode reference leads nowhere"},
	{"a root behind its block", 32, 0xffff, 8, "inode reference leads nowhere"},
	{"a root in the middle of nothing", 32, 0x1fff, 8, "the inode table ends early"},
};

static void a_broken_superblock_is_named(void)
{
	auto_free uint8_t *bytes = malloc(good_size);
	struct err err;

	for (size_t i = 0; i < COUNT_OF(supers); i++) {
		memcpy(bytes, good, good_size);
		put(bytes + supers[i].at, supers[i].value, supers[i].size);
		err = (struct err){.code = -1};
		if (!ok(read_bytes(bytes, good_size, &err) == -1 &&
				strstr(err.text, supers[i].text) && strstr(err.text, "'x.sqfs'"),
			"%s is refused", supers[i].name))
			printf("#   %s\n", err.text);
	}
}

static void a_short_file_is_truncated(void)
{
	unsigned silent = 0, unnamed = 0;
	struct err err;

	for (size_t size = 0; size < good_size; size += size < 200 ? 1 : 97) {
		if (read_bytes(good, size, &err) == 0)
			silent++;
		else if (!strstr(err.text,
				 size < 96 ? "'x.sqfs' is too short" : "'x.sqfs' is truncated"))
			unnamed++;
	}
	ok(silent == 0, "no shorter file is taken for the image");
	ok(unnamed == 0, "and the message says that it is too short or truncated");
}

static void a_file_that_shrinks_is_an_error(void)
{
	auto_opened opened = {.fd = -1};
	struct squashfs_inode inode;
	struct err err;

	ok(open_bytes(good, good_size, &opened, &err) == 0, "an image opens");
	if (ftruncate(opened.fd, 200) < 0)
		bail("cannot shorten a file");
	ok(squashfs_inode(opened.reader, squashfs_info(opened.image)->root, &inode, &err) == -1 &&
		   err.code == EIO && strstr(err.text, "ends early"),
	   "when the file shrinks afterwards, reading is EIO");
}

/* Bend each byte in a few ways; nothing may happen but an answer or an error. */
static void every_bent_byte_is_survived(const char *options)
{
	static const uint8_t bends[] = {0x01, 0x80, 0xff};
	unsigned refused = 0, unworded = 0;
	struct err err;

	make_image("tree", "image", options);
	load_good();
	for (size_t at = 0; at < good_size; at++)
		for (size_t i = 0; i < COUNT_OF(bends); i++) {
			good[at] ^= bends[i];
			err = (struct err){.code = 0};
			if (read_bytes(good, good_size, &err) < 0) {
				refused++;
				if (!strstr(err.text, "x.sqfs") || (at >= 96 && err.code != EIO))
					unworded++;
			}
			good[at] ^= bends[i];
		}
	ok(refused > 0 && unworded == 0, "%u bent bytes are refused with a word (%s)", refused,
	   options);
}

/* A directory table that names an entry twice, or holds a path as a name. */
static void a_bent_name_is_refused(const char *from, const char *to, const char *text)
{
	auto_free uint8_t *bytes = malloc(good_size);
	uint8_t *at;
	struct err err;

	memcpy(bytes, good, good_size);
	at = memmem(bytes, good_size, from, strlen(from));
	if (!at)
		bail("the image does not hold '%s'", from);
	memcpy(at, to, strlen(from));
	if (!ok(read_bytes(bytes, good_size, &err) == -1 && err.code == EIO &&
			strstr(err.text, text),
		"an entry '%s' is refused", to))
		printf("#   %s\n", err.text);
}

/* Of a table that has as many entries as can be counted, the one that is wanted is read. */
static void the_largest_count_is_survived(void)
{
	const size_t size = good_size + (65 << 20); /* there must be room for the positions */
	struct opened small = {.fd = -1}, large = {.fd = -1};
	uint8_t *head = malloc(good_size);
	struct squashfs_inode inode;
	uint64_t is = 0, was = 1;
	char bytes[100];
	struct err err;

	memcpy(head, good, good_size);
	put(head + 4, UINT32_MAX, 4);  /* inodes, and so the export table */
	put(head + 16, UINT32_MAX, 4); /* fragments */
	put(head + 40, size, 8);
	if (open_bytes(good, good_size, &small, &err) < 0)
		bail("%s", err.text);
	large.fd = memfd_create("image", MFD_CLOEXEC);
	if (large.fd < 0 || write(large.fd, head, good_size) != (ssize_t)good_size ||
	    ftruncate(large.fd, (off_t)size) < 0)
		bail("cannot make an image in memory");
	ok(squashfs_open(large.fd, 0, size, "x.sqfs", NULL, &large.image, &err) == 0 &&
		   squashfs_reader_new(large.image, &large.reader, &err) == 0,
	   "tables of 2^32 entries");
	ok(squashfs_resolve(large.reader, "/name_b", &inode, &err) == 1 &&
		   squashfs_pread(large.reader, &inode, bytes, sizeof(bytes), 0, &err) == 100 &&
		   memmem(good, good_size, bytes, sizeof(bytes)),
	   "a fragment is found");
	ok(squashfs_export(small.reader, 2, &was, &err) == 1 &&
		   squashfs_export(large.reader, 2, &is, &err) == 1 && is == was,
	   "so is an inode by its number");
	ok(squashfs_export(large.reader, UINT32_MAX, &is, &err) <= 0 || is != was,
	   "the last one is another");
	opened_end(&small);
	opened_end(&large);
	free(head);
}

int main(void)
{
	if (!have_mksquashfs()) {
		printf("1..0 # SKIP mksquashfs (package squashfs-tools) is not installed\n");
		return 0;
	}
	scratch_begin();
	make_dir("tree");
	make_dir("tree/name_d");
	make_file("tree/name_a", CONTENT_MIXED, 6000, 1);
	make_file("tree/name_b", CONTENT_TEXT, 100, 2);
	if (symlink("name_a", "tree/name_c") < 0)
		bail("cannot make a symlink");
	make_image("tree", "image", "-noI -noId -noD -noF -b 4K -nopad");
	load_good();
	a_broken_superblock_is_named();
	a_short_file_is_truncated();
	the_largest_count_is_survived();
	a_file_that_shrinks_is_an_error();
	a_bent_name_is_refused("name_b", "name_a", "out of order at 'name_a'");
	a_bent_name_is_refused("name_b", "na/e_b", "forbidden name");
	a_bent_name_is_refused("name_b", "name\0b", "forbidden name");
	every_bent_byte_is_survived("-noI -noId -noD -noF -b 4K -nopad");
	every_bent_byte_is_survived("-comp zstd -b 4K -nopad");
	every_bent_byte_is_survived("-comp xz -noI -noId -b 4K -nopad");
	free(good);
	scratch_end();
	return done_testing();
}
