/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/identity.h"

#include "lib/file.h"
#include "lib/image/le.h"
#include "lib/squashfs/super.h"

#include <inttypes.h>
#include <string.h>

enum {
	TABLES_MAX = 8 << 20, /* of larger ones the first half and the last */
	READ_SIZE = 64 << 10,

	/* Of the data: all of it, or so many pieces at even distances. */
	PIECES = 64,
	PIECE_SIZE = 8 << 10,
};

/* Returns 0, or -1 with errno. What the file lacks is left out. */
static int add_range(struct sha256 *hash, int fd, uint64_t from, uint64_t to)
{
	auto_free unsigned char *buffer = malloc(READ_SIZE);

	while (buffer && from < to) {
		size_t want = to - from < READ_SIZE ? (size_t)(to - from) : READ_SIZE;
		ssize_t got = file_read_at(fd, buffer, want, from);

		if (got <= 0)
			return (int)got;
		sha256_add(hash, buffer, (size_t)got);
		from += (uint64_t)got;
	}
	return buffer ? 0 : -1;
}

static int add_tables(struct sha256 *hash, const struct image *image,
		      const unsigned char *superblock)
{
	uint64_t begin = le_get64(superblock + SUPER_INODE_TABLE),
		 end = le_get64(superblock + SUPER_BYTES_USED);

	/* Nonsense is an image, too, until somebody mounts it. */
	if (end > image->size || begin > end)
		return 0;
	if (end - begin <= TABLES_MAX)
		return add_range(hash, image->fd, image->offset + begin, image->offset + end);
	if (add_range(hash, image->fd, image->offset + begin,
		      image->offset + begin + TABLES_MAX / 2) < 0)
		return -1;
	return add_range(hash, image->fd, image->offset + end - TABLES_MAX / 2,
			 image->offset + end);
}

/* What is between superblock and tables. */
static int add_data(struct sha256 *hash, const struct image *image, const unsigned char *superblock)
{
	uint64_t begin = SUPER_SIZE, end = le_get64(superblock + SUPER_INODE_TABLE);

	if (end > image->size || begin > end)
		return 0;
	if (end - begin <= (uint64_t)PIECES * PIECE_SIZE)
		return add_range(hash, image->fd, image->offset + begin, image->offset + end);
	for (uint64_t i = 0; i < PIECES; i++) {
		uint64_t at = image->offset + begin + (end - begin - PIECE_SIZE) / (PIECES - 1) * i;

		if (add_range(hash, image->fd, at, at + PIECE_SIZE) < 0)
			return -1;
	}
	return 0;
}

static int make_fingerprint(const struct image *image, unsigned char out[SHA256_SIZE],
			    struct err *err)
{
	unsigned char superblock[SUPER_SIZE] = {0};
	uint64_t size = image->size;
	struct sha256 hash;

	if (file_read_at(image->fd, superblock, sizeof(superblock), image->offset) < 0)
		return err_sys(err, "cannot read '%s'", image->path);
	sha256_begin(&hash);
	sha256_add(&hash, &size, sizeof(size));
	sha256_add(&hash, superblock, sizeof(superblock));
	if (add_tables(&hash, image, superblock) < 0 || add_data(&hash, image, superblock) < 0)
		return err_sys(err, "cannot read '%s'", image->path);
	sha256_end(&hash, out);
	return 0;
}

static void look(const struct image *image, struct identity *out)
{
	*out = (struct identity){
		.inode = image->stat.st_ino,
		.size = (uint64_t)image->stat.st_size,
		.mtime = image->stat.st_mtim,
		.ctime = image->stat.st_ctim,
	};
}

int identity_of(const struct image *image, struct identity *out, struct err *err)
{
	struct identity identity;

	if (image->kind == IMAGE_DIRECTORY)
		return err_set(err, "'%s' is a directory: what is in it has no identity",
			       image->path);
	look(image, &identity);
	if (make_fingerprint(image, identity.fingerprint, err) < 0)
		return -1;
	*out = identity;
	return 0;
}

void identity_print(const struct identity *identity, char out[IDENTITY_TEXT_SIZE])
{
	int len =
		snprintf(out, IDENTITY_TEXT_SIZE,
			 "file:%" PRIu64 ":%" PRIu64 ":%lld.%09ld:%lld.%09ld:", identity->inode,
			 identity->size, (long long)identity->mtime.tv_sec, identity->mtime.tv_nsec,
			 (long long)identity->ctime.tv_sec, identity->ctime.tv_nsec);
	for (int i = 0; i < SHA256_SIZE; i++)
		len += snprintf(out + len, IDENTITY_TEXT_SIZE - (size_t)len, "%02x",
				identity->fingerprint[i]);
}

static bool take_digest(const char *text, unsigned char out[SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(text) != 2 * SHA256_SIZE || strspn(text, digits) != 2 * SHA256_SIZE)
		return false;
	for (int i = 0; i < SHA256_SIZE; i++)
		out[i] = (unsigned char)((strchr(digits, text[2 * i]) - digits) << 4 |
					 (strchr(digits, text[2 * i + 1]) - digits));
	return true;
}

bool identity_parse(const char *text, struct identity *out)
{
	struct identity identity = {0};
	long long mtime, ctime;
	int used = 0;

	if (sscanf(text, "file:%" SCNu64 ":%" SCNu64 ":%lld.%9ld:%lld.%9ld:%n", &identity.inode,
		   &identity.size, &mtime, &identity.mtime.tv_nsec, &ctime, &identity.ctime.tv_nsec,
		   &used) != 6 ||
	    used == 0 || !take_digest(text + used, identity.fingerprint))
		return false;
	identity.mtime.tv_sec = (time_t)mtime;
	identity.ctime.tv_sec = (time_t)ctime;
	*out = identity;
	return true;
}

static bool same_time(struct timespec one, struct timespec other)
{
	return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/* An inode's number says nothing by itself: another file system has one, too. */
static bool is_untouched(const struct identity *pinned, const struct identity *here)
{
	return pinned->inode == here->inode && same_time(pinned->mtime, here->mtime) &&
	       same_time(pinned->ctime, here->ctime);
}

int identity_matches(const struct identity *pinned, const struct image *image, struct err *err)
{
	struct identity here;

	if (image->kind == IMAGE_DIRECTORY) {
		(void)err_set(err, "it is a directory now");
		return 0;
	}
	look(image, &here);
	if (pinned->size != here.size) {
		(void)err_set(err, "it has %" PRIu64 " bytes, not %" PRIu64, here.size,
			      pinned->size);
		return 0;
	}
	if (is_untouched(pinned, &here))
		return 1;
	if (make_fingerprint(image, here.fingerprint, err) < 0)
		return -1;
	if (memcmp(pinned->fingerprint, here.fingerprint, SHA256_SIZE) == 0)
		return 1;
	(void)err_set(err, "%s, with other contents",
		      pinned->inode == here.inode ? "it was written to" : "it is another file");
	return 0;
}

int identity_check(const char *text, const char *option, const struct image *image, struct err *err)
{
	struct identity expected;
	struct err why;
	int same;

	if (!identity_parse(text, &expected))
		return err_set(err, "%s '%s' is no identity", option, text);
	same = identity_matches(&expected, image, err);
	if (same != 0)
		return same < 0 ? -1 : 0;
	why = *err;
	return err_set(err,
		       "image '%s' changed since submission (%s): submit again to use it as "
		       "it is now",
		       image->path, why.text);
}
