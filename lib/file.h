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

/* Write all @size bytes of @data. Returns 0, or -1 with errno. */
int file_write_all(int fd, const void *data, size_t size);

#endif
