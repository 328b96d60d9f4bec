/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The block writer: what is stored once, what must not be, and that errors are told. */
#include "builder/squash/blocks.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sqfs/block.h>
#include <sqfs/error.h>
#include <sys/mman.h>

enum { SIZE = 100, FILES = 5000, FIRST = SQFS_BLK_FIRST_BLOCK, LAST = SQFS_BLK_LAST_BLOCK };

struct image {
	int fd;
	sqfs_file_t *file;
	sqfs_block_writer_t *writer;
	int result; /* of the last write */
};

static struct image open_image(void)
{
	struct image image = {.fd = memfd_create("blocks", MFD_CLOEXEC)};

	image.file = blocks_file(image.fd);
	image.writer = image.file ? blocks_writer(image.file) : NULL;
	if (!image.writer)
		printf("Bail out! no writer\n");
	return image;
}

static void close_image(struct image *image)
{
	sqfs_destroy(image->writer);
	sqfs_destroy(image->file);
	(void)close(image->fd);
}

/* One block of SIZE bytes that begins with @content, of checksum @checksum. Returns its place. */
static sqfs_u64 put(struct image *image, int content, sqfs_u32 checksum, sqfs_u32 flags)
{
	sqfs_u8 data[SIZE] = {0};
	sqfs_u64 location = 77777;

	memcpy(data, &content, sizeof(content));
	image->result = image->writer->write_data_block(image->writer, NULL, SIZE, checksum, flags,
							data, &location);
	return location;
}

/* A file of @count blocks, whose checksums are right; its place. */
static sqfs_u64 put_file(struct image *image, const int *content, size_t count, sqfs_u32 flags)
{
	sqfs_u64 location = 0;

	for (size_t i = 0; i < count; i++)
		location = put(image, content[i], (sqfs_u32)content[i],
			       flags | (i == 0 ? FIRST : 0) | (i + 1 == count ? LAST : 0));
	return location;
}

#define FILE_OF(image, ...)                                                                        \
	put_file(image, (const int[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int), 0)

static sqfs_u64 size_of(const struct image *image)
{
	return image->file->get_size(image->file);
}

static void what_is_there_is_not_stored_again(void)
{
	struct image image = open_image();

	ok(FILE_OF(&image, 1, 2, 3) == 0 && image.result == 0, "a file of three blocks");
	ok(FILE_OF(&image, 4) == 3 * SIZE, "another one stands behind it");
	ok(FILE_OF(&image, 1, 2, 3) == 0 && size_of(&image) == 4 * SIZE,
	   "the same again is the first");
	ok(lseek(image.fd, 0, SEEK_END) == 4 * SIZE, "and what was written of it is cut off");
	ok(FILE_OF(&image, 2, 3) == SIZE, "the end of a file is found");
	ok(FILE_OF(&image, 3, 4) == 2 * SIZE, "even across two files that stand side by side");
	ok(FILE_OF(&image, 4, 5) == 4 * SIZE, "not beyond the end of what there is");
	ok(FILE_OF(&image, 1, 3) == 6 * SIZE, "not blocks that are apart");
	ok(FILE_OF(&image, 1) == 0, "of several runs the oldest counts");
	close_image(&image);
}

static void what_only_looks_the_same_is_stored(void)
{
	struct image image = open_image();

	ok(put(&image, 1, 9, FIRST | LAST) == 0, "a file");
	ok(put(&image, 2, 9, FIRST | LAST) == SIZE, "another one of the same checksum is stored");
	ok(put(&image, 1, 9, FIRST | LAST | SQFS_BLK_IS_COMPRESSED) == 2 * SIZE,
	   "the same bytes are not the same block if one is compressed");
	ok(put(&image, 1, 9, FIRST | LAST | SQFS_BLK_DONT_DEDUPLICATE) == 3 * SIZE,
	   "nor where they must not be shared");
	ok(put(&image, 2, 9, FIRST | LAST) == SIZE, "each of the first two is found again");
	ok(put(&image, 1, 9, FIRST | LAST) == 0, "by its bytes");
	close_image(&image);
}

static void other_blocks_take_no_part(void)
{
	struct image image = open_image();
	sqfs_u64 end;

	ok(put(&image, 1, 1, SQFS_BLK_FRAGMENT_BLOCK) == 0, "a block of fragments");
	ok(FILE_OF(&image, 1) == SIZE, "is not what a file shares");
	end = size_of(&image);
	(void)put(&image, 0, 0, FIRST | LAST | SQFS_BLK_IS_SPARSE);
	ok(image.result == 0 && size_of(&image) == end, "a hole is not stored");
	(void)put(&image, 2, 2, FIRST);
	(void)put(&image, 0, 0, SQFS_BLK_IS_SPARSE);
	ok(put(&image, 3, 3, LAST) == end && size_of(&image) == end + 2 * SIZE,
	   "nor one in a file");
	close_image(&image);
}

static void many_are_found(void)
{
	struct image image = open_image();
	size_t wrong = 0;

	for (int i = 0; i < FILES; i++)
		wrong += put(&image, i, (sqfs_u32)i % 1000, FIRST | LAST) != (sqfs_u64)i * SIZE;
	ok(wrong == 0, "%d files are stored", FILES);
	for (int i = 0; i < FILES; i++)
		wrong += put(&image, i, (sqfs_u32)i % 1000, FIRST | LAST) != (sqfs_u64)i * SIZE;
	ok(wrong == 0 && size_of(&image) == (sqfs_u64)FILES * SIZE, "and all are found again");
	ok(image.writer->get_block_count(image.writer) == FILES, "they count once");
	close_image(&image);
}

static void errors_are_told(void)
{
	struct image image = open_image();
	char buffer[10];
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ok(dup3(fd, image.fd, O_CLOEXEC) == image.fd, "a file that takes nothing");
	(void)put(&image, 1, 1, FIRST | LAST);
	ok(image.result == SQFS_ERROR_IO, "is an error");
	ok(blocks_file_errno(image.file) == EBADF, "with its reason");
	ok(image.file->read_at(image.file, 0, buffer, sizeof(buffer)) == SQFS_ERROR_OUT_OF_BOUNDS,
	   "and so is reading what is not there");
	(void)close(fd);
	close_image(&image);
}

int main(void)
{
	what_is_there_is_not_stored_again();
	what_only_looks_the_same_is_stored();
	other_blocks_take_no_part();
	many_are_found();
	errors_are_told();
	return done_testing();
}
