/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * An image reads as the tree it was made of: every compressor, small, usual and
 * large blocks, with all that a file system can hold.
 */
#include "lib/squashfs/squashfs.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

enum {
	LONG_DIR = 5000,
	BIG_FILE = 5 << 20, /* 1280 blocks of 4 KiB: more than one mark of a map */
	VALUE_SIZE = 4096,
};

static void make_special(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "tree/special/socket"};
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	make_dir("tree/special");
	if (mkfifo("tree/special/fifo", 0600) < 0 ||
	    symlink("nowhere", "tree/special/dangling") < 0 ||
	    symlink("/many/name-04711-of-a-long-directory", "tree/special/absolute") < 0 ||
	    symlink("../sub", "tree/special/up") < 0 || symlink("loop", "tree/special/loop") < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		bail("cannot make the special files");
	if (link("tree/mixed", "tree/special/hardlink") < 0 ||
	    link("tree/mixed", "tree/sub/hardlink") < 0 || chmod("tree/mixed", 04755) < 0)
		bail("cannot make hard links");
}

static void make_sparse(void)
{
	auto_fd fd = open("tree/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || pwrite(fd, "in", 2, 3000000) != 2 || pwrite(fd, "end", 3, 6999990) != 3 ||
	    ftruncate(fd, 9000000) < 0)
		bail("cannot make a sparse file");
}

static void make_attributes(void)
{
	char value[3000];

	memset(value, 'v', sizeof(value));
	if (setxattr("tree/mixed", "user.small", "1", 1, 0) < 0 ||
	    setxattr("tree/mixed", "user.large", value, sizeof(value), 0) < 0 ||
	    setxattr("tree/text", "user.large", value, sizeof(value), 0) < 0 ||
	    setxattr("tree/sub", "user.of-a-directory", "", 0, 0) < 0)
		bail("this file system takes no extended attributes; set TMPDIR");
}

static void make_tree(void)
{
	static const size_t sizes[] = {0,      1,      4095,	4096,	 4097,	 131071,
				       131072, 131073, 1048575, 1048576, 1048577};
	char path[512];

	make_dir("tree");
	make_dir("tree/sub");
	make_dir("tree/sub/empty");
	make_dir("tree/many");
	make_dir("tree/sizes");
	make_dir("tree/na\n me \xc3\xa9");
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		(void)snprintf(path, sizeof(path), "tree/sizes/%zu", sizes[i]);
		make_file(path, CONTENT_MIXED, sizes[i], (unsigned)i);
	}
	for (unsigned i = 0; i < LONG_DIR; i++) {
		(void)snprintf(path, sizeof(path), "tree/many/name-%05u-of-a-long-directory", i);
		make_file(path, CONTENT_TEXT, i % 7 * 10, i);
	}
	memset(path, 'n', sizeof(path));
	memcpy(path, "tree/sub/", 9);
	path[9 + 255] = '\0';
	make_file(path, CONTENT_TEXT, 100, 1);
	make_file("tree/text", CONTENT_TEXT, 300000, 2);
	make_file("tree/noise", CONTENT_NOISE, 300000, 3);
	make_file("tree/mixed", CONTENT_MIXED, BIG_FILE, 4);
	make_sparse();
	make_special();
	make_attributes();
}

/* What is compared, and how often it differed. */
struct compare {
	struct squashfs_reader *reader;
	const char *path; /* of the directory in the source tree */
	const struct squashfs_inode *dir;
	unsigned entries, wrong;
	uint64_t sum; /* of the entries, in their order */
	char last[256];
};

static void differs(struct compare *compare, const char *name, const char *what)
{
	compare->wrong++;
	printf("# %s/%s: %s\n", compare->path, name, what);
}

static void compare_data(struct compare *compare, const struct squashfs_inode *inode,
			 const char *path, const char *name)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *wanted = malloc(inode->size + 1), *got = malloc(inode->size + 1);
	size_t size = inode->size;
	unsigned state = 1;
	struct err err;

	if (pread(fd, wanted, size + 1, 0) != (ssize_t)size)
		bail("cannot read '%s'", path);
	if (squashfs_pread(compare->reader, inode, got, size + 1, 0, &err) != (ssize_t)size ||
	    memcmp(got, wanted, size) != 0)
		differs(compare, name, "data");
	for (int i = 0; i < 40 && size > 1; i++) {
		size_t offset = (state = state * 1664525u + 1013904223u) % size;
		size_t part = (state >> 7) % 200000;
		ssize_t there = (ssize_t)(part < size - offset ? part : size - offset);

		memset(got, 0, (size_t)there);
		if (squashfs_pread(compare->reader, inode, got, part, offset, &err) != there ||
		    memcmp(got, wanted + offset, (size_t)there) != 0)
			differs(compare, name, "a part of the data");
	}
}

static void compare_attributes(struct compare *compare, const struct squashfs_inode *inode,
			       const char *path, const char *name)
{
	char names[VALUE_SIZE], value[VALUE_SIZE], wanted[VALUE_SIZE];
	struct err err;
	ssize_t there = llistxattr(path, names, sizeof(names));
	ssize_t size = squashfs_listxattr(compare->reader, inode, NULL, 0, &err);

	if (there < 0)
		bail("cannot read the attributes of '%s'", path);
	if (size != there)
		differs(compare, name, "the number of attributes");
	size = squashfs_listxattr(compare->reader, inode, names, sizeof(names), &err);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t len = lgetxattr(path, names + at, wanted, sizeof(wanted));

		if (len < 0 ||
		    squashfs_getxattr(compare->reader, inode, names + at, value, sizeof(value),
				      &err) != len ||
		    memcmp(value, wanted, (size_t)len) != 0)
			differs(compare, name, names + at);
	}
}

static void compare_stat(struct compare *compare, const struct squashfs_inode *inode,
			 const struct stat *st, const char *name)
{
	uint32_t uid, gid;
	struct err err;

	if (inode->mode != st->st_mode)
		differs(compare, name, "mode");
	if (!S_ISDIR(st->st_mode) && inode->size != (uint64_t)st->st_size)
		differs(compare, name, "size");
	if (inode->nlink != st->st_nlink)
		differs(compare, name, "links");
	if (inode->mtime != (uint32_t)st->st_mtime)
		differs(compare, name, "time");
	if (squashfs_owner(compare->reader, inode, &uid, &gid, &err) < 0 || uid != st->st_uid ||
	    gid != st->st_gid)
		differs(compare, name, "owner");
}

static void compare_dir(struct compare *compare, const struct squashfs_inode *dir);

static void compare_inode(struct compare *compare, const struct squashfs_inode *inode,
			  const char *path, const char *name)
{
	char target[VALUE_SIZE], wanted[VALUE_SIZE];
	struct stat st;
	struct err err;

	if (lstat(path, &st) < 0) {
		differs(compare, name, "is not in the source");
		return;
	}
	compare_stat(compare, inode, &st, name);
	compare_attributes(compare, inode, path, name);
	if (S_ISREG(inode->mode)) {
		compare_data(compare, inode, path, name);
	} else if (S_ISLNK(inode->mode)) {
		ssize_t len = readlink(path, wanted, sizeof(wanted));

		if (squashfs_readlink(compare->reader, inode, target, sizeof(target), &err) !=
			    len ||
		    memcmp(target, wanted, (size_t)len) != 0)
			differs(compare, name, "target");
	} else if (S_ISDIR(inode->mode)) {
		struct compare below = {.reader = compare->reader, .path = path};

		compare_dir(&below, inode);
		compare->wrong += below.wrong;
	}
}

static int compare_entry(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	struct compare *compare = arg;
	struct squashfs_inode inode;
	char path[VALUE_SIZE];
	struct err err;
	uint64_t ref;

	(void)position;
	compare->entries++;
	compare->sum = compare->sum * 31 + entry->ref;
	(void)snprintf(path, sizeof(path), "%s/%s", compare->path, entry->name);
	if (squashfs_inode(compare->reader, entry->ref, &inode, &err) < 0 ||
	    inode.ino != entry->ino || (inode.mode & S_IFMT) != entry->type)
		differs(compare, entry->name, "the inode");
	else
		compare_inode(compare, &inode, path, entry->name);
	if (squashfs_lookup(compare->reader, compare->dir, entry->name, entry->len, &ref, &err) !=
		    1 ||
	    ref != entry->ref)
		differs(compare, entry->name, "is not found by name");
	if (squashfs_lookup(compare->reader, compare->dir, entry->name, entry->len - 1, &ref,
			    &err) < 0)
		differs(compare, entry->name, "a lookup of a shorter name fails");
	return 0;
}

static void compare_dir(struct compare *compare, const struct squashfs_inode *dir)
{
	auto_dir *source = opendir(compare->path);
	struct squashfs_entry entry;
	unsigned there = 0, next = 0;
	uint64_t position = 0, sum = 0;
	struct err err;

	compare->dir = dir;
	while (source && readdir(source))
		there++;
	if (squashfs_each(compare->reader, dir, 0, compare_entry, compare, &err) != 0)
		differs(compare, "", err.text);
	if (compare->entries + 2 != there)
		differs(compare, "", "the number of entries");
	while (squashfs_next(compare->reader, dir, &position, &entry, &err) == 1) {
		sum = sum * 31 + entry.ref;
		next++;
	}
	if (next != compare->entries || sum != compare->sum)
		differs(compare, "", "the entries one by one");
}

static unsigned differences(const char *path, uint64_t offset, size_t cache)
{
	auto_opened opened = {.fd = -1};
	struct compare compare = {.path = "tree"};
	struct squashfs_inode root;
	struct err err;

	if (opened_begin(&opened, path, offset, cache, &err) < 0 ||
	    squashfs_inode(opened.reader, squashfs_info(opened.image)->root, &root, &err) < 0) {
		printf("# %s\n", err.text);
		return 1;
	}
	compare.reader = opened.reader;
	compare_dir(&compare, &root);
	return compare.wrong;
}

static void an_image_reads_as_its_source(const char *compression, const char *block)
{
	char options[256];

	(void)snprintf(options, sizeof(options), "-comp %s -b %s", compression, block);
	make_image("tree", "image", options);
	ok(differences("image", 0, 0) == 0, "%s with blocks of %s reads as its source", compression,
	   block);
}

static void every_way_to_store_reads_alike(void)
{
	static const char *const options[] = {
		"-noI -noD -noF -noX -noId -b 128K",
		"-noI -noId -comp zstd -b 4K",
		"-comp zstd -no-fragments -no-duplicates -b 64K",
		"-comp zstd -always-use-fragments -exports -b 128K",
		"-comp zstd -nopad -no-sparse -Xcompression-level 1",
		"-comp xz -b 64K -Xbcj x86",
		"-comp gzip -b 8K -Xstrategy huffman_only,filtered",
		"-comp lz4 -b 32K -Xhc",
	};

	for (size_t i = 0; i < COUNT_OF(options); i++) {
		make_image("tree", "image", options[i]);
		ok(differences("image", 0, 0) == 0, "mksquashfs %s", options[i]);
	}
	ok(differences("image", 0, 1) == 0, "the smallest cache suffices");
	make_image("tree", "image", "-comp zstd -offset 12345");
	ok(differences("image", 12345, 0) == 0, "an image may begin anywhere in its file");
}

static void devices_have_their_numbers(void)
{
	auto_opened opened = {.fd = -1};
	struct squashfs_inode inode;
	struct err err;
	auto_file *pseudo = fopen("pseudo", "we");

	/* mksquashfs makes them of a description, so no privilege is needed. */
	if (!pseudo || fputs("null c 666 0 0 1 3\ndisk b 640 0 6 259 70000\n", pseudo) < 0 ||
	    fflush(pseudo) != 0)
		bail("cannot write a description");
	make_dir("devices");
	make_image("devices", "image", "-pf pseudo");
	ok(opened_begin(&opened, "image", 0, 0, &err) == 0, "an image with pseudo devices opens");
	ok(squashfs_resolve(opened.reader, "/null", &inode, &err) == 1 && S_ISCHR(inode.mode) &&
		   inode.rdev == 0x103,
	   "a character device has its number");
	ok(squashfs_resolve(opened.reader, "disk", &inode, &err) == 1 && S_ISBLK(inode.mode) &&
		   inode.rdev == ((70000 & 0xff) | 259 << 8 | (70000 & ~0xffu) << 12),
	   "a block device has its number, in the encoding of Linux");
	ok(!squashfs_info(opened.image)->has_xattrs, "an image without attributes says so");
}

static void paths_stay_inside(void)
{
	static const struct {
		const char *path;
		int result;
		mode_t type;
	} cases[] = {
		{"/", 1, S_IFDIR},
		{"", 1, S_IFDIR},
		{"../../..", 1, S_IFDIR},
		{"special/absolute", 1, S_IFREG},
		{"special/up/../text", 1, S_IFREG},
		{"special/up/empty/../../special/./fifo", 1, S_IFIFO},
		{"special/dangling", 0, 0},
		{"special/loop", 0, 0},
		{"text/.", 0, 0},
		{"text/../text", 0, 0},
		{"no/such", 0, 0},
		{"many/name-04999-of-a-long-directory", 1, S_IFREG},
		{"many/name-05000-of-a-long-directory", 0, 0},
	};
	auto_opened opened = {.fd = -1};
	struct err err;

	make_image("tree", "image", "-comp zstd");
	if (opened_begin(&opened, "image", 0, 0, &err) < 0)
		bail("%s", err.text);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct squashfs_inode inode = {.mode = 0};

		ok(squashfs_resolve(opened.reader, cases[i].path, &inode, &err) ==
				   cases[i].result &&
			   (inode.mode & S_IFMT) == cases[i].type,
		   "'%s' %s", cases[i].path, cases[i].result ? "is found" : "is not found");
	}
}

static void wrong_questions_have_their_errno(void)
{
	auto_opened opened = {.fd = -1};
	struct squashfs_inode dir, file;
	struct squashfs_span span;
	char small[8];
	struct err err;
	uint64_t ref;

	if (opened_begin(&opened, "image", 0, 0, &err) < 0 ||
	    squashfs_resolve(opened.reader, "sub", &dir, &err) != 1 ||
	    squashfs_resolve(opened.reader, "mixed", &file, &err) != 1)
		bail("%s", err.text);
	ok(squashfs_lookup(opened.reader, &file, "x", 1, &ref, &err) == -1 && err.code == ENOTDIR,
	   "a lookup in a file is ENOTDIR");
	ok(squashfs_read(opened.reader, &dir, 0, 10, &span, &err) == -1 && err.code == EINVAL,
	   "reading a directory is EINVAL");
	ok(squashfs_read(opened.reader, &file, file.size, 10, &span, &err) == 0,
	   "behind the end is nothing");
	ok(squashfs_readlink(opened.reader, &file, small, sizeof(small), &err) == -1 &&
		   err.code == EINVAL,
	   "readlink of a file is EINVAL");
	ok(squashfs_getxattr(opened.reader, &file, "user.none", NULL, 0, &err) == -1 &&
		   err.code == ENODATA,
	   "an absent attribute is ENODATA");
	ok(squashfs_getxattr(opened.reader, &file, "user.large", small, sizeof(small), &err) ==
			   -1 &&
		   err.code == ERANGE,
	   "a value that does not fit is ERANGE");
	ok(squashfs_listxattr(opened.reader, &file, small, sizeof(small), &err) == -1 &&
		   err.code == ERANGE,
	   "a list that does not fit is ERANGE");
	ok(squashfs_inode(opened.reader, 1ull << 40, &file, &err) == -1 && err.code == EIO,
	   "a made-up inode reference is EIO");
}

int main(void)
{
	static const char *const compressions[] = {"zstd", "gzip", "lz4", "xz"};
	static const char *const blocks[] = {"4K", "128K", "1M"};

	if (!have_mksquashfs()) {
		printf("1..0 # SKIP mksquashfs (package squashfs-tools) is not installed\n");
		return 0;
	}
	scratch_begin();
	make_tree();
	for (size_t i = 0; i < COUNT_OF(compressions); i++)
		for (size_t j = 0; j < COUNT_OF(blocks); j++)
			an_image_reads_as_its_source(compressions[i], blocks[j]);
	every_way_to_store_reads_alike();
	devices_have_their_numbers();
	paths_stay_inside();
	wrong_questions_have_their_errno();
	scratch_end();
	return done_testing();
}
