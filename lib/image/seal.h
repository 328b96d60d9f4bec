/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * seal.h - the dm-verity hash tree that may stand behind an image (doc/format.md).
 *
 * Linux, Documentation/admin-guide/device-mapper/verity.rst; the superblock is cryptsetup's
 * (veritysetup(8)). Only how long it is is found out here: the hashes are checked by nobody yet.
 */
#ifndef FIRN_LIB_IMAGE_SEAL_H
#define FIRN_LIB_IMAGE_SEAL_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether one begins at @offset of @fd. */
bool seal_is_at(int fd, uint64_t offset);

/*
 * Its bytes, from its superblock at @offset to the end of its last block, into @size. It is of all
 * that stands before it, in which the squashfs has @bytes_used. Returns 0, or -1 with @err: it is
 * none of such an image, or not as veritysetup writes it.
 */
int seal_size(int fd, uint64_t offset, uint64_t bytes_used, uint64_t *size, struct err *err);

#endif
