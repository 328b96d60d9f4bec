/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * squashfs_make.h - real images for the tests of the squashfs reader.
 *
 * A scratch folder holds a source tree and the images that mksquashfs makes of
 * it. What cannot be made ends the test program: a test without its input is no test.
 */
#ifndef FIRN_TESTS_UNIT_SQUASHFS_MAKE_H
#define FIRN_TESTS_UNIT_SQUASHFS_MAKE_H

#include "lib/own.h"
#include "lib/squashfs/squashfs.h"

/* A new folder, made the working directory. */
void scratch_begin(void);
/* Remove it with all that is in it. */
void scratch_end(void);

/* A file of @size bytes: text, noise, or text with noise in it, always the same for a @seed. */
enum content { CONTENT_TEXT, CONTENT_NOISE, CONTENT_MIXED };
void make_file(const char *path, enum content content, size_t size, unsigned seed);
void make_dir(const char *path);

/* Run mksquashfs SOURCE OUT with @options, separated by blanks. False if there is no mksquashfs. */
bool have_mksquashfs(void);
void make_image(const char *source, const char *out, const char *options);

/* An opened image with one reader. */
struct opened {
	int fd;
	struct squashfs *image;
	struct squashfs_reader *reader;
};
/* @offset: where the image begins in the file; 0 as @cache: the default size. */
int opened_begin(struct opened *opened, const char *path, uint64_t offset, size_t cache,
		 struct err *err);
void opened_end(struct opened *opened);
#define auto_opened CLEANUP(opened_end) struct opened

/* End the test program with a message. */
__attribute__((noreturn, format(printf, 1, 2))) void bail(const char *format, ...);

#endif
