/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/image.h"

#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[] = "/tmp/firn-image.XXXXXX";
static char file[PATH_MAX];

static void write_file(const void *data, size_t size)
{
	auto_fd fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		ok(false, "the test can write its file");
}

static int try_open(struct image **image, struct err *err)
{
	err->text[0] = '\0';
	return image_open(file, false, image, err);
}

static bool refused(const char *reason)
{
	auto_image *image = NULL;
	struct err err;
	bool told;

	if (try_open(&image, &err) == 0)
		return false;
	told = strstr(err.text, reason) && strstr(err.text, file) && !strchr(err.text, '\n');
	if (!told)
		printf("#   got '%s'\n", err.text);
	return told;
}

static void what_is_no_image_is_named(void)
{
	unsigned char data[2048] = {0};

	(void)unlink(file);
	ok(refused("No such file or directory"), "a missing file");
	write_file("", 0);
	ok(refused("it is empty"), "an empty file");
	write_file("x", 1);
	ok(refused("unknown format"), "one byte");
	write_file("\177ELF\2\1\1", 7);
	ok(refused("a program"), "an ELF file");
	write_file("\037\213\010", 3);
	ok(refused("a gzip file"), "a compressed file");
	memcpy(data + 257, "ustar", 5);
	write_file(data, sizeof(data));
	ok(refused("a tar archive"), "a tar archive");
	memset(data, 0, sizeof(data));
	data[1080] = 0x53;
	data[1081] = 0xef;
	write_file(data, sizeof(data));
	ok(refused("an ext2/3/4 file system"), "an ext4 image");
	ok(image_open("/dev/null", false, &(struct image *){NULL}, &(struct err){0}) < 0,
	   "a device");
}

static void a_file_in_the_way_is_told_from_a_closed_door(void)
{
	char path[PATH_MAX + 8];
	struct image *image = NULL;
	struct err err;

	write_file("x", 1);
	(void)snprintf(path, sizeof(path), "%s/below", file);
	ok(image_open(path, false, &image, &err) < 0 && err.code == ENOTDIR,
	   "a file is no directory");
}

static void a_fifo_does_not_hang(void)
{
	(void)unlink(file);
	ok(mkfifo(file, 0644) == 0 && refused("no regular file"), "a FIFO without a writer");
	(void)unlink(file);
}

static void squashfs_and_directories_are_known(void)
{
	auto_image *image = NULL;
	auto_image *dir = NULL;
	struct err err;

	write_file("hsqs and so on", 14);
	ok(try_open(&image, &err) == 0 && image->kind == IMAGE_SQUASHFS && image->offset == 0 &&
		   image->size == 14,
	   "the magic makes a squashfs");
	is_str(image ? image->path : NULL, file, "its name is absolute");
	ok(image_open(scratch, false, &dir, &err) == 0 && dir->kind == IMAGE_DIRECTORY,
	   "a directory");
}

/* A SIF of our own: header, two descriptors, a partition of @size bytes at 2048. */
struct sif {
	unsigned char bytes[4096];
};

static void put64(unsigned char *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static void make_sif(struct sif *sif)
{
	unsigned char *first = sif->bytes + 128;
	unsigned char *second = first + 585;

	memset(sif, 0, sizeof(*sif));
	memcpy(sif->bytes, "#!/usr/bin/env run-singularity\n", 31);
	memcpy(sif->bytes + 32, "SIF_MAGIC\0" "01\0" "02", 15);
	put64(sif->bytes + 88, 2);
	put64(sif->bytes + 96, 128);
	first[0] = 0x01; /* a definition file */
	first[1] = 0x40;
	first[4] = 1;
	second[0] = 0x04; /* a partition */
	second[1] = 0x40;
	second[4] = 1;
	put64(second + 17, 2048);
	put64(second + 25, 1024);
	second[201] = 1; /* squashfs */
	second[205] = 2; /* primary system partition */
	memcpy(second + 209, "02", 3);
	memcpy(sif->bytes + 2048, "hsqs", 4);
}

static void the_root_of_a_sif_is_found(void)
{
	auto_image *image = NULL;
	struct sif sif;
	struct err err;

	make_sif(&sif);
	write_file(&sif, sizeof(sif));
	ok(try_open(&image, &err) == 0 && image->kind == IMAGE_SIF, "a SIF opens");
	ok(image && image->offset == 2048 && image->size == 1024, "its root is where it says");
	is_str(image ? image->machine : NULL, "amd64", "its machine is known");
}

static void a_bad_sif_is_refused(void)
{
	enum { ROOT = 128 + 585 };
	struct sif sif;

	make_sif(&sif);
	sif.bytes[ROOT + 201] = 2;
	write_file(&sif, sizeof(sif));
	ok(refused("ext3"), "an ext3 root is named");
	sif.bytes[ROOT + 201] = 5;
	write_file(&sif, sizeof(sif));
	ok(refused("encrypted"), "an encrypted root is named");
	make_sif(&sif);
	sif.bytes[ROOT + 205] = 1;
	write_file(&sif, sizeof(sif));
	ok(refused("without a primary system partition"), "a SIF of data only");
	make_sif(&sif);
	sif.bytes[ROOT + 4] = 0;
	write_file(&sif, sizeof(sif));
	ok(refused("without a primary system partition"), "an unused descriptor does not count");
	make_sif(&sif);
	write_file(&sif, 100);
	ok(refused("truncated"), "a header that ends early");
	write_file(&sif, 1000);
	ok(refused("outside the file"), "a table that ends early");
	write_file(&sif, 3000);
	ok(refused("outside the file"), "a root that ends early");
}

static void sif_numbers_are_not_believed(void)
{
	static const uint64_t odd[] = {UINT64_MAX, UINT64_MAX - 584, 1ull << 63, 4097, 1ull << 32};
	enum { ROOT = 128 + 585 };
	int bad = 0;

	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		static const size_t fields[] = {88, 96, ROOT + 17, ROOT + 25};

		for (size_t j = 0; j < COUNT_OF(fields); j++) {
			auto_image *image = NULL;
			struct sif sif;
			struct err err;

			make_sif(&sif);
			put64(sif.bytes + fields[j], odd[i]);
			write_file(&sif, sizeof(sif));
			if (try_open(&image, &err) == 0)
				bad++;
		}
	}
	ok(bad == 0, "huge counts, places and sizes are refused");
}

/* A link that somebody turns from one image to the other meanwhile. */
static void turn(const char *one, const char *other, const char *link)
{
	char next[PATH_MAX + 8];

	(void)snprintf(next, sizeof(next), "%s.next", link);
	for (;;)
		if (symlink(one, next) < 0 || rename(next, link) < 0 || symlink(other, next) < 0 ||
		    rename(next, link) < 0)
			_exit(1);
}

static void the_name_is_that_of_the_open_file(void)
{
	char one[PATH_MAX], other[PATH_MAX], link[PATH_MAX], next[PATH_MAX + 8];
	int wrong = 0;
	pid_t child;

	(void)snprintf(one, sizeof(one), "%s/one", scratch);
	(void)snprintf(other, sizeof(other), "%s/other", scratch);
	(void)snprintf(link, sizeof(link), "%s/link", scratch);
	(void)snprintf(next, sizeof(next), "%s.next", link);
	if (mkdir(one, 0700) < 0 || mkdir(other, 0700) < 0 || symlink(one, link) < 0)
		ok(false, "the test can make its directories");
	child = fork();
	if (child == 0)
		turn(one, other, link);
	for (int i = 0; i < 3000; i++) {
		auto_image *image = NULL;
		struct stat there;
		struct err err;

		if (image_open(link, false, &image, &err) < 0 || stat(image->path, &there) < 0 ||
		    there.st_ino != image->stat.st_ino)
			wrong++;
	}
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	ok(wrong == 0, "3000 times, while its path leads elsewhere (%d wrong)", wrong);
	(void)unlink(link);
	(void)unlink(next);
	(void)rmdir(one);
	(void)rmdir(other);
}

static void an_error_to_read_is_no_short_image(void)
{
	struct image image = {.kind = IMAGE_SQUASHFS, .path = file, .fd = -1, .size = 4096};
	struct err err;

	ok(image_check_whole(&image, &err) < 0 && strstr(err.text, "cannot read '") &&
		   !strstr(err.text, "too short"),
	   "what cannot be read is not called too short");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	(void)snprintf(file, sizeof(file), "%s/image", scratch);
	what_is_no_image_is_named();
	an_error_to_read_is_no_short_image();
	the_name_is_that_of_the_open_file();
	a_file_in_the_way_is_told_from_a_closed_door();
	a_fifo_does_not_hang();
	squashfs_and_directories_are_known();
	the_root_of_a_sif_is_found();
	a_bad_sif_is_refused();
	sif_numbers_are_not_believed();
	(void)unlink(file);
	(void)rmdir(scratch);
	return done_testing();
}
