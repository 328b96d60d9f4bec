/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/identity.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_SIZE = 3000, INODES_AT = 2000, USED = 2900 };

static char folder[] = "/tmp/firn-identity.XXXXXX";
static struct err err;

static char *path(const char *name)
{
	static char text[2][64];
	static int turn;

	turn = !turn;
	(void)snprintf(text[turn], sizeof(text[0]), "%s/%s", folder, name);
	return text[turn];
}

/* A file that begins like squashfs, with @byte at @at. */
static struct image *make(const char *name, size_t at, unsigned char byte)
{
	unsigned char bytes[FILE_SIZE] = "hsqs";
	struct image *image = NULL;
	int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	bytes[40] = USED & 255;
	bytes[41] = USED >> 8;
	bytes[64] = INODES_AT & 255;
	bytes[65] = INODES_AT >> 8;
	if (at)
		bytes[at] = byte;
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || close(fd) < 0 ||
	    image_open(path(name), false, &image, &err) < 0)
		exit(1);
	return image;
}

static struct identity identity_in(const struct image *image)
{
	struct identity identity = {0};

	if (identity_of(image, &identity, &err) < 0)
		exit(1);
	return identity;
}

static struct image *reopen(const char *name)
{
	struct image *image = NULL;

	if (image_open(path(name), false, &image, &err) < 0)
		exit(1);
	return image;
}

static void the_same_file_is_the_pinned_image(void)
{
	auto_image *image = make("a", 0, 0);
	auto_image *touched = NULL;
	auto_image *changed = NULL;
	struct identity pinned = identity_in(image);
	const struct timespec times[2] = {{1, 0}, {1, 0}};

	ok(identity_matches(&pinned, image, &err) == 1, "untouched");
	if (utimensat(AT_FDCWD, path("a"), times, 0) < 0)
		exit(1);
	touched = reopen("a");
	ok(identity_matches(&pinned, touched, &err) == 1, "with another time");
	if (chmod(path("a"), 0640) < 0 || link(path("a"), path("link")) < 0 ||
	    rename(path("a"), path("moved")) < 0)
		exit(1);
	changed = reopen("moved");
	ok(identity_matches(&pinned, changed, &err) == 1,
	   "with another mode, a second name, and renamed");
	(void)unlink(path("link"));
	(void)rename(path("moved"), path("a"));
}

static void what_was_written_to_is_another(void)
{
	static const size_t at[] = {INODES_AT + 5, 100, 1999};

	for (size_t i = 0; i < COUNT_OF(at); i++) {
		auto_image *image = make("a", 0, 0);
		auto_image *written = NULL;
		struct identity pinned = identity_in(image);
		int fd = open(path("a"), O_WRONLY);

		if (fd < 0 || pwrite(fd, "x", 1, (off_t)at[i]) != 1 || close(fd) < 0)
			exit(1);
		/* The clock of a file system may stand still for some milliseconds. */
		(void)utimensat(AT_FDCWD, path("a"), (const struct timespec[2]){{2, 0}, {2, 0}}, 0);
		written = reopen("a");
		ok(identity_matches(&pinned, written, &err) == 0, "in place, at %zu", at[i]);
		is_str(err.text, "it was written to, with other contents", "as is said");
	}
}

/* A data area of 4 MiB: only pieces of it are looked at. */
static void a_large_file_half_written_over_is_another(void)
{
	enum { LARGE = 4 << 20 };
	unsigned char *bytes = calloc(1, LARGE);
	auto_image *image = NULL;
	auto_image *half = NULL;
	struct identity pinned;
	FILE *file = fopen(path("large"), "w");

	memcpy(bytes, "hsqs", 4);
	bytes[42] = LARGE >> 16; /* bytes used */
	bytes[65] = 0xf0;	 /* the tables are the last 4 KiB */
	bytes[66] = (LARGE >> 16) - 1;
	if (!file || fwrite(bytes, 1, LARGE, file) != LARGE || fclose(file) != 0)
		exit(1);
	image = reopen("large");
	pinned = identity_in(image);
	memset(bytes + 96, 'x', LARGE / 8);
	file = fopen(path("large"), "r+");
	if (!file || fwrite(bytes, 1, LARGE, file) != LARGE || fclose(file) != 0)
		exit(1);
	(void)utimensat(AT_FDCWD, path("large"), (const struct timespec[2]){{2, 0}, {2, 0}}, 0);
	half = reopen("large");
	ok(identity_matches(&pinned, half, &err) == 0,
	   "an eighth of the data, with the same tables");
	free(bytes);
}

/* Another file system may have an inode of that number. */
static void an_inode_is_no_proof(void)
{
	auto_image *image = make("a", 0, 0);
	auto_image *other = make("other", INODES_AT + 5, 1);
	struct identity pinned = identity_in(image);

	pinned.inode = other->stat.st_ino;
	pinned.ctime.tv_sec--; /* both were made within one tick */
	ok(identity_matches(&pinned, other, &err) == 0, "other contents at the pinned number");
	pinned = identity_in(image);
	pinned.inode = other->stat.st_ino + 1;
	pinned.mtime.tv_sec++;
	ok(identity_matches(&pinned, image, &err) == 1, "and the same ones at another");
}

static void a_copy_is_known_by_its_contents(void)
{
	auto_image *image = make("a", 0, 0);
	auto_image *copy = make("copy", 0, 0);
	auto_image *other = make("other", INODES_AT + 5, 1);
	auto_image *data = make("data", 0, 0);
	struct identity pinned = identity_in(image);

	ok(identity_matches(&pinned, copy, &err) == 1,
	   "a copy in another file is the pinned image");
	ok(identity_matches(&pinned, other, &err) == 0, "another file with other tables is not");
	is_str(err.text, "it is another file, with other contents", "as is said");
	if (truncate(path("data"), FILE_SIZE - 1) < 0)
		exit(1);
	image_freep(&data);
	if (image_open(path("data"), false, &data, &err) < 0)
		exit(1);
	ok(identity_matches(&pinned, data, &err) == 0, "nor one of another size");
	is_str(err.text, "it has 2999 bytes, not 3000", "as is said");
}

static void tables_that_lie_outside_do_no_harm(void)
{
	static const size_t at[] = {47, 71, 41, 65};

	for (size_t i = 0; i < COUNT_OF(at); i++) {
		auto_image *image = make("broken", at[i], 0xff);
		struct identity identity;

		ok(identity_of(image, &identity, &err) == 0, "byte %zu is wrong", at[i]);
	}
}

static void a_directory_has_no_identity(void)
{
	auto_image *image = NULL;
	auto_image *file = make("a", 0, 0);
	struct identity pinned = identity_in(file), none;

	if (image_open(folder, false, &image, &err) < 0)
		exit(1);
	ok(identity_of(image, &none, &err) == -1, "there is none");
	ok(identity_matches(&pinned, image, &err) == 0, "and it is no file");
}

static void words_are_read_back(void)
{
	auto_image *image = make("a", 0, 0);
	auto_image *copy = make("copy", 0, 0);
	struct identity pinned = identity_in(image), back;
	char text[IDENTITY_TEXT_SIZE], longer[IDENTITY_TEXT_SIZE + 2];

	identity_print(&pinned, text);
	ok(identity_parse(text, &back) && identity_matches(&back, image, &err) == 1 &&
		   identity_matches(&back, copy, &err) == 1,
	   "'%s'", text);
	(void)snprintf(longer, sizeof(longer), "%s0", text);
	ok(!identity_parse(longer, &back), "a digit too many is refused");
	text[strlen(text) - 1] = 'g';
	ok(!identity_parse(text, &back), "a digit that is none");
	ok(!identity_parse("", &back) && !identity_parse("file:1:2", &back) &&
		   !identity_parse("file:1:2:3.4:5.6:", &back),
	   "what is cut off");
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	the_same_file_is_the_pinned_image();
	what_was_written_to_is_another();
	a_large_file_half_written_over_is_another();
	an_inode_is_no_proof();
	a_copy_is_known_by_its_contents();
	tables_that_lie_outside_do_no_harm();
	a_directory_has_no_identity();
	words_are_read_back();
	for (const char *const *name =
		     (const char *const[]){"a", "copy", "other", "data", "broken", "large", NULL};
	     *name; name++)
		(void)unlink(path(*name));
	return rmdir(folder) < 0 ? 1 : done_testing();
}
