/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * origin.h - the section behind an image that says where it was fetched from.
 *
 * What an image consists of is in its squashfs (/.firn/provenance.json) and is
 * the same however it was fetched. Its name in a registry and the digests of
 * compressed layers are not, so they stand behind the squashfs, where they do
 * not change the image's digest. doc/format.md has the layout; squashfs readers
 * do not look there.
 */
#ifndef FIRN_LIB_IMAGE_ORIGIN_H
#define FIRN_LIB_IMAGE_ORIGIN_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: sections begin at multiples of the first; a text is at most the second. */
enum { ORIGIN_ALIGNMENT = 4096, ORIGIN_MAX = 1 << 20, ORIGIN_HEADER_SIZE = 24 };
#define ORIGIN_MAGIC "firnorig"

/* Where sections begin: @bytes_used of the squashfs, rounded up. */
uint64_t origin_offset(uint64_t bytes_used);

/*
 * Read the text of the origin section at @offset of @fd. Returns 1 and a new string
 * with its NUL, 0 when there is no such section (the file ends, or something else stands
 * there), -1 with @err when it is damaged, or of a version or with flags that we do not know.
 */
int origin_read(int fd, uint64_t offset, char **text, size_t *size, struct err *err);

/*
 * Whether the file, of @file_size bytes, ends behind the image and its origin, if it @has_origin
 * with a text of @size bytes: zeros up to the next page, and nothing else, but for a seal in the
 * origin's place, as long as seal.h has it, whose hashes are not looked at. Returns 0, or -1 with
 * @err.
 */
int origin_check_end(int fd, uint64_t file_size, uint64_t bytes_used, bool has_origin, size_t size,
		     struct err *err);

/* Write it there, padded to ORIGIN_ALIGNMENT, so that another section can follow. Returns 0, or -1
 * with @err; some of it may be written then. */
int origin_write(int fd, uint64_t offset, const char *text, size_t size, struct err *err);

#endif
