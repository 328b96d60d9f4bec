/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * own.h - who cleans up is visible in the declaration.
 *
 * A variable declared auto_fd, auto_free, auto_file or auto_dir is closed or
 * freed when its block ends, on every way out. take_fd() and take_ptr() hand
 * the thing over and leave -1 or NULL behind. They need the cleanup attribute
 * of gcc and clang.
 */
#ifndef FIRN_LIB_OWN_H
#define FIRN_LIB_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void own_free(void *where)
{
	void *pointer;

	/* A char * read as a void * would break the aliasing rules, and gcc counts on them. */
	memcpy(&pointer, where, sizeof(pointer));
	free(pointer);
}

static inline void own_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void own_fclose(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void own_closedir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define auto_free CLEANUP(own_free)
#define auto_fd CLEANUP(own_close) int
#define auto_file CLEANUP(own_fclose) FILE
#define auto_dir CLEANUP(own_closedir) DIR

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(pointer)                                                                          \
	({                                                                                         \
		__typeof__(*(pointer)) taken_ = *(pointer);                                        \
		*(pointer) = NULL;                                                                 \
		taken_;                                                                            \
	})

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
