/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * content.h - read small files of an image, mounted or not.
 *
 * What is run depends on what the image says of itself (/.firn/config.json). A start reads
 * that in the mounted root, as a directory: the image is then parsed by the mount server,
 * in its cage, alone. --print-plan and inspect have nothing mounted and read the squashfs,
 * in a cage, too. Paths are absolute, and symlinks stay inside the image either way.
 */
#ifndef FIRN_RUNNER_PLAN_CONTENT_H
#define FIRN_RUNNER_PLAN_CONTENT_H

#include "lib/conf/conf.h"
#include "lib/err.h"
#include "lib/image/image.h"
#include "lib/image/oci.h"
#include "lib/squashfs/squashfs.h"

#include <stdbool.h>

enum { CONTENT_FILES_MAX = 4, CONTENT_TEXTS_MAX = 100 };

/* What is wanted of an image that is read apart; the strings are borrowed. */
struct content_files {
	const char *path[CONTENT_FILES_MAX]; /* which of them are regular files; NULL: none */
	/*
	 * The files of directory @dir whose names end in @suffix, to be read: CONTENT_TEXTS_MAX at
	 * most, of @text_max bytes each.
	 */
	const char *dir, *suffix;
	size_t text_max;
};

/* An image that can be read from. */
struct content {
	const struct image *image;       /* borrowed */
	struct squashfs *squashfs;       /* NULL for a directory */
	struct squashfs_reader *reader;
	char *config;                    /* see content_config_text(); NULL: it has none */
	size_t config_size;
	bool config_known;               /* that it was read, or taken */
	struct known *known; /* content_open_apart(): what can be asked; else NULL; owned */
};

/*
 * Returns 0 and a new @out, or -1 with @err when the squashfs is damaged. @image is borrowed, and
 * must outlive it; @conf says how large the caches may be.
 */
int content_open(const struct image *image, const struct conf *conf, struct content **out,
		 struct err *err);

/*
 * The same for who goes on with all rights: an image file is read in a process apart, in a cage
 * (lib/cage/apart.h), once. What is known then is the configuration and what @files ask for; to
 * ask for more is an error.
 */
int content_open_apart(const struct image *image, const struct conf *conf,
		       const struct content_files *files, struct content **out, struct err *err);
void content_free(struct content *content);
void content_freep(struct content **content);
#define auto_content CLEANUP(content_freep) struct content

/*
 * Read regular file @path (symlinks followed inside the image) whole into a new
 * buffer with a NUL behind. Returns 1, 0 when there is no such file, or -1, also
 * when it is larger than @limit bytes.
 */
int content_read(struct content *content, const char *path, size_t limit, char **out, size_t *size,
		 struct err *err);

/*
 * The image's OCI configuration, /.firn/config.json, with a NUL behind; it is read once, and
 * @content's. Returns 1, 0 when it has none, or -1.
 */
int content_config_text(struct content *content, const char **out, size_t *size, struct err *err);

/* The same, taken apart. */
int content_read_config(struct content *content, struct oci_config **out, struct err *err);

/*
 * The same as bytes, for those who come when the image's file may be another one: a sealed
 * memfd(2), empty when there is none. And the other side: from now on it is @fd's that is read.
 */
int content_copy_config(struct content *content, struct err *err);
int content_take_config(struct content *content, int fd, struct err *err);

/*
 * The names in directory @path that end in @suffix, in byte order, as a new vector
 * (NULL-terminated, each string its own; words_free()). Returns 1, 0 when there are none, or -1,
 * also when there are more than @limit.
 */
int content_names(struct content *content, const char *path, const char *suffix, size_t limit,
		  char ***out, struct err *err);

/* Whether @path exists as a regular file: 1, 0, or -1. */
int content_has(struct content *content, const char *path, struct err *err);

#endif
