/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * own.h - who cleans up is visible in the declaration.
 *
 * A variable declared auto_fd, auto_free, auto_file or auto_dir is closed or
 * freed when its block ends, on every way out. take_fd() and take_ptr() hand
 * the thing over and leave -1 or NULL behind, so that the block's end does
 * nothing: who owns what can be found by grep. What is to be cleaned up starts
 * as -1 or NULL, for a return may come before it is set.
 *
 * They need the cleanup attribute of gcc and clang. It runs in the reverse order
 * of the declarations, and not at all when a process goes by _exit(2) or execve(2);
 * descriptors are O_CLOEXEC, so that they go then, too.
 */
#ifndef FIRN_LIB_OWN_H
#define FIRN_LIB_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Call @function with the variable's address when its block ends. Types of our own have a
 * x_freep(struct x **) for it, and an auto_x beside their x_free().
 */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* free(3) what the pointer at @where points to; NULL is fine. */
static inline void own_free(void *where)
{
	void *pointer;

	/* A char * read as a void * would break the aliasing rules, and gcc counts on them. */
	memcpy(&pointer, where, sizeof(pointer));
	free(pointer);
}

/*
 * close(2), if there is something open; errno stays as it was, so that it can be told after. Leaves
 * the number behind: who calls it by hand sets -1.
 */
static inline void own_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

/* What is buffered is written, and an error of that is lost: who writes calls fclose(3) itself. */
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

/* auto_free char *text = NULL; auto_fd fd = -1; auto_file *file = NULL; auto_dir *dir = NULL; */
#define auto_free CLEANUP(own_free)
#define auto_fd CLEANUP(own_close) int
#define auto_file CLEANUP(own_fclose) FILE
#define auto_dir CLEANUP(own_closedir) DIR

/* The descriptor in @fd, which is the caller's from now on; -1 stays behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The pointer in @pointer, an address of one of any type, likewise; NULL stays behind. */
#define take_ptr(pointer)                                                                          \
	({                                                                                         \
		__typeof__(*(pointer)) taken_ = *(pointer);                                        \
		*(pointer) = NULL;                                                                 \
		taken_;                                                                            \
	})

/* Elements of an array; not of a pointer, which has no size to tell. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
