/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * identity.h - which image it is, in words that another node understands.
 *
 * A job is submitted here and runs there, hours later. The device's number differs
 * from node to node; inode, size and times of a file in a shared file system do not.
 * Where all of them are the same it is the file that was seen, untouched. Where they are
 * not (a copy on the node's own disk, a chmod, a hard link, touch(1)) the contents count:
 * a fingerprint of the squashfs superblock, of all its tables, in which the compressed
 * size of every block and the name and time of every file stand, and of pieces of the
 * data, which find a file that is half written over. It notices another image, not a
 * few bytes changed in the middle of a large one, nor somebody who forges one: that
 * takes a seal. A directory has no identity: another node's may be a copy, and what is
 * in it changes.
 */
#ifndef FIRN_LIB_IMAGE_IDENTITY_H
#define FIRN_LIB_IMAGE_IDENTITY_H

#include "lib/image/image.h"
#include "lib/sha256.h"

#include <stdbool.h>

struct identity {
	uint64_t inode;
	uint64_t size; /* bytes */
	struct timespec mtime, ctime;
	unsigned char fingerprint[SHA256_SIZE];
};

enum { IDENTITY_TEXT_SIZE = 256 };

/* Look at an image that is open and no directory. Reads at most 8.5 MiB. Returns 0, or -1 with
 * @err, also for a directory. */
int identity_of(const struct image *image, struct identity *out, struct err *err);

/* One word without blanks, and back; identity_parse() returns false for anything that is none, for
 * the word may have come by a job's environment, which is its user's. */
void identity_print(const struct identity *identity, char out[IDENTITY_TEXT_SIZE]);
bool identity_parse(const char *text, struct identity *out);

/*
 * Whether @image is the one that @pinned says. Reads the contents only if its inode or times
 * are others. Returns 1, or 0 with @err saying what is different ("its contents are ..."), or -1.
 */
int identity_matches(const struct identity *pinned, const struct image *image, struct err *err);

/* The same of an identity in words, @text, that the option @option gave: 0, or -1 with the line for
 * who submitted a job. */
int identity_check(const char *text, const char *option, const struct image *image,
		   struct err *err);

#endif
