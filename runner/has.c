/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/has.h"

#include "lib/cage/cage.h"
#include "lib/conf/conf.h"
#include "lib/image/image.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/squashfs/squashfs.h"

#include <fcntl.h>

enum { MEMORY_MAX = 512 << 20 };

/* Each returns 1, 0 or -1. */

static int has_in_directory(const struct image *image, const char *path, struct err *err)
{
	auto_fd found = path_open_in(image->fd, path, O_PATH | O_DIRECTORY);

	if (found >= 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "cannot open '%s'", path);
}

static int has_in_file(const struct image *image, const char *path, bool require_cage,
		       struct err *err)
{
	auto_squashfs *squashfs = NULL;
	auto_squashfs_reader *reader = NULL;
	struct squashfs_inode inode;
	int found;

	if (cage_read_only(MEMORY_MAX, require_cage, err) < 0 ||
	    squashfs_open(image->fd, image->offset, image->size, image->path, NULL, &squashfs,
			  err) < 0 ||
	    squashfs_reader_new(squashfs, &reader, err) < 0)
		return -1;
	found = squashfs_resolve(reader, path, &inode, err);
	return found <= 0 ? found : S_ISDIR(inode.mode);
}

int has_main(int argc, char **argv)
{
	auto_conf *conf = NULL;
	auto_image *image = NULL;
	struct err err;
	int found;

	if (argc != 2) {
		log_error("image-has takes an image and a directory");
		return EXIT_FIRN_FAILED;
	}
	found = conf_read(NULL, &conf, &err);
	if (found == 0)
		found = image_open(argv[0], conf->require_cage, &image, &err);
	if (found == 0)
		found = image->kind == IMAGE_DIRECTORY
				? has_in_directory(image, argv[1], &err)
				: has_in_file(image, argv[1], conf->require_cage, &err);
	if (found < 0) {
		log_error("%s", err.text);
		return EXIT_FIRN_FAILED;
	}
	return found ? HAS_IT : HAS_NOT;
}
