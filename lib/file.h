/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * file.h - a whole file at once.
 *
 * One read(2) may give less than there is: a signal came, a network file system
 * felt like it. Whoever takes that for the whole loses the end of a file without
 * a word, so all that is read as a whole is read here.
 */
#ifndef FIRN_LIB_FILE_H
#define FIRN_LIB_FILE_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Read regular file @path of @dirfd (openat(2); AT_FDCWD) into a new string @text,
 * which the caller frees. It has a NUL behind its @size bytes, and may hold others.
 * A file that is no regular one, or of more than @limit bytes, is an error. Returns
 * 0, or -1 with the cause in @err, its errno value in err->code; the results are then
 * as they were.
 */
int file_read(int dirfd, const char *path, size_t limit, char **text, size_t *size,
	      struct err *err);

/* The same of the open file @fd, from where it stands; @name is for messages. */
int file_read_fd(int fd, const char *name, size_t limit, char **text, size_t *size,
		 struct err *err);

/* The same of whatever @fd is, a pipe or a device, until its end; a directory is an error. */
int file_read_stream(int fd, const char *name, size_t limit, char **text, size_t *size,
		     struct err *err);

/*
 * Read @size bytes from byte @offset of file @fd on into @data, or what there is of them up to
 * the file's end; where @fd itself stands does not matter. Returns how many, or -1 with errno.
 * What is read at once takes one pread(2): nothing looks for an end that nobody asked about.
 */
ssize_t file_read_at(int fd, void *data, size_t size, uint64_t offset);

/* Write all @size bytes of @data, at @offset the second time. Return 0, or -1 with errno; then
 * some of them may be written. */
int file_write_all(int fd, const void *data, size_t size);
int file_write_at(int fd, const void *data, size_t size, uint64_t offset);

#endif
