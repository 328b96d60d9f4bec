/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * path.h - names of files, as text and as descriptors.
 *
 * A name in an image is a stranger's: it may be a symlink to anywhere, and what is looked at and
 * what is then opened may be two things. So who means a file of an image opens it here, once,
 * below the image's root, and goes on with the descriptor.
 */
#ifndef FIRN_LIB_PATH_H
#define FIRN_LIB_PATH_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Tidy an absolute @path: no "." components, no double or trailing slashes.
 * ".." is refused, since its meaning depends on symlinks. Returns 0 and a new
 * string in @out, or -1.
 */
int path_tidy(const char *path, char **out, struct err *err);

/* "@base/@name" as a new string, @name itself if it is absolute; NULL without memory. */
char *path_join(const char *base, const char *name);

/*
 * @text as an absolute path by words alone, as Docker cleans an image's WorkingDir: relative to
 * "/", without "." and "..", which takes away the component before it. Returns a new string, or
 * NULL without memory.
 */
char *path_clean(const char *text);

/* Whether @path is @ancestor or below it, by components: /scratch2 is not below /scratch. */
bool path_is_below(const char *path, const char *ancestor);

/*
 * Open @path with the directory @root as if it were "/": symlinks and ".."
 * cannot lead out (openat2 RESOLVE_IN_ROOT, Linux 5.6; before that by going
 * component by component). /proc-style magic links are not followed. @flags as
 * open(2), O_CLOEXEC is added. Returns a descriptor, or -1 with errno.
 */
int path_open_in(int root, const char *path, int flags);

/* The same, but a symlink on the way or at the end is an error: ELOOP. */
int path_open_straight(int root, const char *path, int flags);

/*
 * The same by components, without openat2: the fallback, here for the tests.
 */
int path_walk_in(int root, const char *path, int flags);
int path_walk_straight(int root, const char *path, int flags);

/*
 * The text of @path with space, quote, backslash, and control bytes
 * written as \ooo, as a new string: one word on one line, for --print-plan.
 */
char *path_quote(const char *path);

#endif
