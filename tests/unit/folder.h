/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * folder.h - what a unit test leaves in a folder of its own goes with it.
 *
 * Symlinks are removed, not followed, and no other program is started for it.
 */
#ifndef FIRN_TESTS_UNIT_FOLDER_H
#define FIRN_TESTS_UNIT_FOLDER_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>

static inline int folder_remove_one(const char *path, const struct stat *stat, int type,
				    struct FTW *at)
{
	(void)stat;
	(void)type;
	(void)at;
	return remove(path);
}

/* Remove @path and all in it. Returns whether nothing is left of it. */
static inline bool folder_remove(const char *path)
{
	return nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

#endif
