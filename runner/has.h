/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * has.h - whether an image has a directory, for programs that must not look themselves.
 *
 * srun's plugin asks so where a user names the directory to start in: it opens no image of a
 * stranger's in a process that has all of the user's rights. firn does, in a cage (lib/cage).
 * "firn image-has IMAGE DIR" is no word for users; it prints nothing but errors.
 */
#ifndef FIRN_RUNNER_HAS_H
#define FIRN_RUNNER_HAS_H

enum {
	HAS_IT = 0,
	HAS_NOT = 1, /* nothing is there, or no directory; any other status: there is no telling */
};

/* @argv begins behind the verb and ends with NULL. Returns the exit status. */
int has_main(int argc, char **argv);

#endif
