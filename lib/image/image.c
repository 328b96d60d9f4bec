/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/image.h"

#include "lib/cage/apart.h"
#include "lib/file.h"
#include "lib/image/le.h"
#include "lib/squashfs/super.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum {
	HEAD_SIZE = 2048,
	SIF_MAGIC_AT = 32,
	SIF_MEMORY = 64 << 20, /* bytes, of who reads a table */
};

/* What a file that is no image is most likely, for the message. */
static const char *guess(const unsigned char *head, size_t size)
{
	static const struct {
		size_t at;
		const char *magic;
		size_t len;
		const char *name;
	} known[] = {
		{0, "\177ELF", 4, "a program"},
		{0, "\037\213", 2, "a gzip file"},
		{0, "\050\265\057\375", 4, "a zstd file"},
		{0, "\3757zXZ", 5, "an xz file"},
		{0, "BZh", 3, "a bzip2 file"},
		{0, "PK\003\004", 4, "a zip archive"},
		{257, "ustar", 5, "a tar archive"},
		{1080, "\123\357", 2, "an ext2/3/4 file system"},
		{1024, "\342\341\365\340", 4, "an EROFS file system"},
		{0, "sqsh", 4, "a big-endian squashfs"},
		{0, "#!", 2, "a script"},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (known[i].at + known[i].len <= size &&
		    memcmp(head + known[i].at, known[i].magic, known[i].len) == 0)
			return known[i].name;
	return NULL;
}

static bool is_squashfs(const unsigned char *head, size_t size)
{
	return size >= 4 && memcmp(head, "hsqs", 4) == 0;
}

static bool is_sif(const unsigned char *head, size_t size)
{
	return size >= SIF_MAGIC_AT + 10 && memcmp(head + SIF_MAGIC_AT, "SIF_MAGIC", 10) == 0;
}

/* Whether @fd begins as an image; how many bytes of a beginning there are, or -1. */
static ssize_t read_begin(int fd, bool *is_image)
{
	unsigned char head[SIF_MAGIC_AT + 10];
	ssize_t got = file_read_at(fd, head, sizeof(head), 0);

	*is_image = got > 0 && (is_squashfs(head, (size_t)got) || is_sif(head, (size_t)got));
	return got;
}

bool image_is_begun(int fd)
{
	bool is_image;

	return read_begin(fd, &is_image) == 0 || is_image;
}

int image_check_whole(const struct image *image, struct err *err)
{
	unsigned char super[SUPER_BYTES_USED + 8];
	uint64_t used;
	ssize_t got;

	if (image->kind == IMAGE_DIRECTORY)
		return 0;
	got = file_read_at(image->fd, super, sizeof(super), image->offset);
	if (got < 0)
		return err_sys(err, "cannot read '%s'", image->path);
	if (image->size < sizeof(super) || (size_t)got < sizeof(super))
		return err_set(err, "'%s' is too short to be an image", image->path);
	used = le_get64(super + SUPER_BYTES_USED);
	if (used > image->size)
		return err_set(err, "'%s' is truncated: %llu of %llu bytes are missing",
			       image->path, (unsigned long long)(used - image->size),
			       (unsigned long long)used);
	return 0;
}

/* The root file system of a SIF, as the process apart tells it. */
struct partition {
	uint64_t offset, size;
	char machine[16];
};

struct sif_search {
	const struct image *image;
	const char *path;
};

static int find_partition(void *arg, void *out, struct err *err)
{
	const struct sif_search *search = arg;
	struct partition *partition = out;
	const char *machine = NULL;

	if (sif_find_partition(search->image->fd, search->image->size, search->path,
			       &partition->offset, &partition->size, &machine, err) < 0)
		return -1;
	(void)snprintf(partition->machine, sizeof(partition->machine), "%s",
		       machine ? machine : "");
	return 0;
}

static int read_sif(struct image *image, const char *path, enum image_cage cage, struct err *err)
{
	struct partition partition = {0};
	struct sif_search search = {image, path};
	struct apart apart = {.what = path,
			      .cage = cage_of_reader(SIF_MEMORY, cage == IMAGE_REQUIRE_CAGE),
			      .work = find_partition,
			      .arg = &search,
			      .out = &partition,
			      .size = sizeof(partition),
			      .keep = {image->fd},
			      .keep_count = 1};

	image->kind = IMAGE_SIF;
	if ((cage == IMAGE_IN_CAGE ? find_partition(&search, &partition, err)
				   : apart_run(&apart, err)) < 0)
		return -1;
	/* Whoever took over the reader may have written anything. */
	partition.machine[sizeof(partition.machine) - 1] = '\0';
	if (partition.offset > image->size || partition.size > image->size - partition.offset)
		return err_set(err, "'%s' is damaged: its root lies outside the file", path);
	image->machine = sif_machine(partition.machine);
	image->offset = partition.offset;
	image->size = partition.size;
	return 0;
}

static int recognize(struct image *image, const char *path, enum image_cage cage, struct err *err)
{
	unsigned char head[HEAD_SIZE];
	ssize_t got = file_read_at(image->fd, head, sizeof(head), 0);
	const char *likely;

	if (got < 0)
		return err_sys(err, "cannot read '%s'", path);
	image->size = (uint64_t)image->stat.st_size;
	if (got == 0)
		return err_set(err, "'%s' is not an image: it is empty", path);
	if (is_squashfs(head, (size_t)got)) {
		image->kind = IMAGE_SQUASHFS;
		return 0;
	}
	if (is_sif(head, (size_t)got))
		return read_sif(image, path, cage, err);
	likely = guess(head, (size_t)got);
	return err_set(err, "'%s' is not an image: it is %s, not squashfs, SIF or a directory",
		       path, likely ? likely : "of unknown format");
}

static int open_it(const char *path, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	/* A directory need not be readable to be a root, only searchable. */
	if (fd < 0 && errno == EACCES) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOTDIR)
			errno = EACCES;
	}
	return fd < 0 ? err_sys(err, "cannot open '%s'", path) : fd;
}

static int look(struct image *image, const char *path, enum image_cage cage, struct err *err)
{
	if (S_ISDIR(image->stat.st_mode)) {
		image->kind = IMAGE_DIRECTORY;
		return 0;
	}
	if (!S_ISREG(image->stat.st_mode))
		return err_set(err, "'%s' is not an image: it is no regular file and no directory",
			       path);
	return recognize(image, path, cage, err);
}

int image_look(struct image *image, enum image_cage cage, struct err *err)
{
	return look(image, image->path, cage, err);
}

/*
 * The name that the kernel knows for what is open. Not asked first: for a process that is
 * new the kernel must make this directory of /proc, which takes longer than all components
 * of a path.
 */
static char *name_by_kernel(int fd)
{
	char link[64], name[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, name, sizeof(name));
	return len > 0 && (size_t)len < sizeof(name) ? strndup(name, (size_t)len) : NULL;
}

/*
 * The absolute name of what was opened, without symlinks. A path that leads elsewhere by now
 * does not name it.
 */
static char *name_of(const struct image *image, const char *path)
{
	char *name = realpath(path, NULL);
	struct stat there;

	if (name && stat(name, &there) == 0 && there.st_dev == image->stat.st_dev &&
	    there.st_ino == image->stat.st_ino)
		return name;
	free(name);
	name = name_by_kernel(image->fd);
	return name ? name : strdup(path);
}

/* @fd, which is taken over, was opened by @path. */
static int open_at(int fd, const char *path, bool require_cage, struct image **out, struct err *err)
{
	auto_image *image = calloc(1, sizeof(*image));

	if (!image) {
		(void)err_sys(err, "cannot open '%s'", path);
		(void)close(fd);
		return -1;
	}
	image->fd = fd;
	if (fstat(image->fd, &image->stat) < 0)
		return err_sys(err, "cannot open '%s'", path);
	if (look(image, path, require_cage ? IMAGE_REQUIRE_CAGE : IMAGE_TRY_CAGE, err) < 0)
		return -1;
	image->path = name_of(image, path);
	if (!image->path)
		return err_sys(err, "cannot open '%s'", path);
	*out = take_ptr(&image);
	return 0;
}

int image_open(const char *path, bool require_cage, struct image **out, struct err *err)
{
	int fd = open_it(path, err);

	return fd < 0 ? -1 : open_at(fd, path, require_cage, out, err);
}

int image_open_begun(const char *path, bool require_cage, struct image **out, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat stat;
	bool is_image;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) ||
	    read_begin(fd, &is_image) < 0 || !is_image)
		return 0;
	return open_at(take_fd(&fd), path, require_cage, out, err) < 0 ? -1 : 1;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	if (image->fd >= 0)
		(void)close(image->fd);
	free(image->path);
	free(image);
}

void image_freep(struct image **image)
{
	image_free(*image);
}

const char *image_kind_name(enum image_kind kind)
{
	static const char *const names[] = {
		[IMAGE_SQUASHFS] = "squashfs",
		[IMAGE_SIF] = "SIF",
		[IMAGE_DIRECTORY] = "directory",
	};

	return names[kind];
}
