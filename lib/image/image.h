/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * image.h - what the user named as the image: a squashfs file, a SIF file or a
 * directory.
 *
 * A path is resolved once, to a descriptor; everything after works on that. What is read here
 * of a file is its magic; the table of a SIF is read in a process apart, in a cage (lib/cage).
 */
#ifndef FIRN_LIB_IMAGE_IMAGE_H
#define FIRN_LIB_IMAGE_IMAGE_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum image_kind { IMAGE_SQUASHFS, IMAGE_SIF, IMAGE_DIRECTORY };

/* An open image; all of it is its own. */
struct image {
	enum image_kind kind;
	char *path; /* absolute, as far as it could be resolved, and of what fd is; for messages and
		       the plan */
	int fd;           /* O_RDONLY; a directory's is O_PATH|O_DIRECTORY */
	struct stat stat; /* of fd: device, inode, size and times are the image's identity */
	uint64_t offset;  /* of the squashfs in the file, bytes */
	uint64_t size;    /* of the squashfs at most, bytes */
	const char *machine; /* a SIF's architecture, Go names ("amd64"); NULL when unknown */
};

/*
 * Open @path. Fails with "'x' is not an image ..." for anything that is none of
 * the three, naming what it looks like where that is known (ext4, tar, ELF...).
 * Waits for nobody: a FIFO is opened without its writer, and refused. Whether a
 * squashfs is whole shows when it is read (lib/squashfs). Returns 0 and a new image
 * in @out, or -1 with @err.
 * @require_cage: not without a whole cage, see lib/cage/cage.h.
 */
int image_open(const char *path, bool require_cage, struct image **out, struct err *err);

/*
 * The same of a file that may be no image: one that cannot be opened, is no regular file or does
 * not begin as squashfs or SIF is none. Returns 1 and a new image in @out, 0 for none, or -1 with
 * @err for what begins as one and cannot be used.
 */
int image_open_begun(const char *path, bool require_cage, struct image **out, struct err *err);

/* How the table of a SIF may be read. */
enum image_cage { IMAGE_TRY_CAGE, IMAGE_REQUIRE_CAGE, IMAGE_IN_CAGE /* this process is in one */ };

/*
 * Find out what @image is, whose fd, path and stat are set: fills kind and all below. Opens
 * nothing.
 */
int image_look(struct image *image, enum image_cage cage, struct err *err);

void image_free(struct image *image);
void image_freep(struct image **image);
#define auto_image CLEANUP(image_freep) struct image

/*
 * Whether as many bytes are there as the superblock of the squashfs counts, and nothing more: 0,
 * or -1 with @err. For who does not read the image itself.
 */
int image_check_whole(const struct image *image, struct err *err);

/*
 * Whether the file @fd begins as an image does (squashfs or SIF, be it damaged), or is empty: what
 * may be replaced by an image. No error: what cannot be read is none.
 */
bool image_is_begun(int fd);

/* "squashfs", "SIF" or "directory", for messages and --json. Static. */
const char *image_kind_name(enum image_kind kind);

/*
 * Find the primary system partition of a SIF; sif.c, here for image.c and the tests. @file_size
 * in bytes, @name for messages. Returns 0 with @offset and @size of the squashfs, within the file,
 * and @machine (static; NULL when it is not known), or -1 with @err: no such partition, an
 * encrypted one, another file system, or a table that lies outside.
 */
int sif_find_partition(int fd, uint64_t file_size, const char *name, uint64_t *offset,
		       uint64_t *size, const char **machine, struct err *err);
/* The machine of that name among those that a SIF can be for, static, or NULL. */
const char *sif_machine(const char *name);

#endif
