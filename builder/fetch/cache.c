/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/cache_private.h"

#include "lib/file.h"
#include "lib/wait.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <time.h>

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

static const char *const blob_folders[CACHE_ALGORITHMS] = {
	[CACHE_SHA256] = CACHE_BLOBS_SHA256,
	[CACHE_SHA512] = CACHE_BLOBS_SHA512,
};

enum {
	LOOK_MS = 50,
	TRIES_MAX = 1000
}; /* the latter, to get at a download that others begin, end and begin again */

static int name_of_user(char *out, size_t size)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry && snprintf(out, size, "%s", entry->pw_name) < (int)size ? 0 : -1;
}

/* Go on from what firn doctor looks at, too. */
static int open_own(const struct cache_place *place, struct cache *cache, struct err *err)
{
	auto_cache_folder folder = {.fd = -1};
	struct err cause;

	if (cache_folder_open(place, name_of_user, true, &folder, &cause) < 0)
		return err_set(err, "the cache: %s%s%s", cause.text, *folder.remedy ? "; " : "",
			       folder.remedy);
	cache->folder = take_fd(&folder.fd);
	cache->path = take_ptr(&folder.path);
	return 0;
}

static int open_below(struct cache *cache, const char *name, int *out, struct err *err)
{
	if (mkdirat(cache->folder, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "cannot make '%s/%s'", cache->path, name);
	*out = openat(cache->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *out < 0 ? err_sys(err, "cannot open '%s/%s'", cache->path, name) : 0;
}

int cache_blobs(const struct cache *cache, const struct digest *digest)
{
	bool is_sha512 = strncmp(digest->text, "sha512:", 7) == 0;

	return cache->blobs[is_sha512 ? CACHE_SHA512 : CACHE_SHA256];
}

int cache_open(const struct cache_place *place, struct cache **out, struct err *err)
{
	auto_cache *cache = calloc(1, sizeof(*cache));
	auto_fd between = -1;

	if (!cache)
		return err_sys(err, "cannot open the cache");
	cache->folder = cache->ingest = -1;
	cache->still_ms = CACHE_STILL_MS;
	for (size_t i = 0; i < CACHE_ALGORITHMS; i++)
		cache->blobs[i] = -1;
	if (open_own(place, cache, err) < 0 || open_below(cache, CACHE_BLOBS, &between, err) < 0 ||
	    open_below(cache, CACHE_INGEST, &cache->ingest, err) < 0)
		return -1;
	for (size_t i = 0; i < CACHE_ALGORITHMS; i++)
		if (open_below(cache, blob_folders[i], &cache->blobs[i], err) < 0)
			return -1;
	if (faccessat(cache->folder, "oci-layout", F_OK, 0) < 0 &&
	    cache_write(cache, cache->folder, "oci-layout", LAYOUT, strlen(LAYOUT), err) < 0)
		return -1;
	*out = take_ptr(&cache);
	return 0;
}

const char *cache_path(const struct cache *cache)
{
	return cache->path;
}

void cache_close(struct cache *cache)
{
	if (!cache)
		return;
	own_close(&cache->ingest);
	for (size_t i = 0; i < CACHE_ALGORITHMS; i++)
		own_close(&cache->blobs[i]);
	own_close(&cache->folder);
	free(cache->path);
	free(cache);
}

void cache_closep(struct cache **cache)
{
	cache_close(*cache);
}

/* Written beside it and renamed, so that nobody reads half of it. */
int cache_write(struct cache *cache, int folder, const char *name, const void *data, size_t size,
		struct err *err)
{
	static atomic_uint serial;
	char temporary[64];
	auto_fd fd = -1;

	(void)snprintf(temporary, sizeof(temporary), "new.%ld.%u", (long)getpid(),
		       atomic_fetch_add(&serial, 1));
	fd = openat(cache->ingest, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return err_sys(err, "cannot write to the cache '%s'", cache->path);
	if (file_write_all(fd, data, size) < 0 ||
	    renameat(cache->ingest, temporary, folder, name) < 0) {
		(void)err_sys(err, "cannot write to the cache '%s'", cache->path);
		(void)unlinkat(cache->ingest, temporary, 0);
		return -1;
	}
	return 0;
}

int cache_open_file(int folder, const char *name, int flags)
{
	auto_fd fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int why = errno;
	struct stat stat;

	if (fd >= 0 ? fstat(fd, &stat) < 0 : fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (fd >= 0 && S_ISREG(stat.st_mode))
		return take_fd(&fd);
	errno = !S_ISREG(stat.st_mode) || (why == EACCES && stat.st_uid == geteuid() &&
					   !(stat.st_mode & S_IRUSR))
			? EINVAL
			: why;
	return -1;
}

/* A directory among the files goes if it is empty; what is in another is not ours to remove. */
static int remove_any(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? unlinkat(folder, name, AT_REMOVEDIR) : -1;
}

int cache_find(struct cache *cache, const struct digest *digest)
{
	int fd = cache_open_file(cache_blobs(cache, digest), digest_hex(digest), O_RDONLY);

	if (fd >= 0)
		(void)futimens(fd, NULL); /* for gc; a failure only makes it look older */
	return fd;
}

static void part_name(const struct digest *digest, char out[DIGEST_TEXT_SIZE + 8])
{
	(void)snprintf(out, DIGEST_TEXT_SIZE + 8, "%s.part", digest_hex(digest));
}

/* Whether the blob is there: 1, 0; what can be none makes room. -1: there is no telling. */
static int is_there(struct cache *cache, const struct digest *digest, struct err *err)
{
	auto_fd fd = cache_find(cache, digest);

	if (fd >= 0)
		return 1;
	if (errno == ENOENT ||
	    (errno == EINVAL && remove_any(cache_blobs(cache, digest), digest_hex(digest)) == 0))
		return 0;
	return err_sys(err, "cannot use '%s' of the cache '%s'", digest_hex(digest), cache->path);
}

/* Who waits for the lock of the download @fd, called @name. */
static int wait_for_lock(const struct cache *cache, int fd, const char *name,
			 const struct patience *patience, struct err *err)
{
	long long now = wait_clock_ms(), end = now + CACHE_WAIT_MS, still = now + cache->still_ms;
	struct stat stat = {0};
	off_t size = -1;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "cannot lock '%s' of the cache", name);
		now = wait_clock_ms();
		if (fstat(fd, &stat) == 0 && stat.st_size != size) {
			size = stat.st_size;
			still = now + cache->still_ms;
		}
		if (now >= end || now >= still)
			return err_set(err, "another build holds '%s' of the cache", name);
		if (!patience_lasts(patience))
			return patience_ends(err);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

static int open_part(struct cache *cache, const char *name, const struct patience *patience,
		     struct err *err)
{
	int fd = cache_open_file(cache->ingest, name, O_RDWR | O_CREAT);

	if (fd < 0 && errno == EINVAL && remove_any(cache->ingest, name) == 0)
		fd = cache_open_file(cache->ingest, name, O_RDWR | O_CREAT);
	if (fd < 0)
		return err_sys(err, "cannot use '%s' of the cache '%s'", name, cache->path);
	if (wait_for_lock(cache, fd, name, patience, err) == 0)
		return fd;
	own_close(&fd);
	return -1;
}

/* Whether the file @name of @folder is the one that @stat is of. */
static bool is_same(int folder, const char *name, const struct stat *stat)
{
	struct stat now;

	return fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_ino == stat->st_ino && now.st_dev == stat->st_dev;
}

/* The part @name, locked, and what it is. Who had the lock may have moved it away or removed it. */
static int lock_part(struct cache *cache, const char *name, const struct patience *patience,
		     struct stat *stat, struct err *err)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		auto_fd part = open_part(cache, name, patience, err);

		if (part < 0)
			return -1;
		if (fstat(part, stat) < 0)
			return err_sys(err, "cannot use '%s' of the cache '%s'", name, cache->path);
		if (is_same(cache->ingest, name, stat))
			return take_fd(&part);
	}
	return err_set(err, "'%s' of the cache '%s' is replaced again and again", name,
		       cache->path);
}

int cache_begin(struct cache *cache, const struct digest *digest, const struct patience *patience,
		int *fd, uint64_t *size, struct err *err)
{
	char name[DIGEST_TEXT_SIZE + 8];
	auto_fd part = -1;
	struct stat stat;
	int there;

	part_name(digest, name);
	part = lock_part(cache, name, patience, &stat, err);
	if (part < 0)
		return -1;
	there = is_there(cache, digest, err);
	if (there < 0)
		return -1;
	if (there) {
		(void)unlinkat(cache->ingest, name, 0);
		return 0;
	}
	*size = (uint64_t)stat.st_size;
	*fd = take_fd(&part);
	return 1;
}

int cache_commit(struct cache *cache, const struct digest *digest, struct err *err)
{
	char name[DIGEST_TEXT_SIZE + 8];

	part_name(digest, name);
	if (renameat(cache->ingest, name, cache_blobs(cache, digest), digest_hex(digest)) < 0)
		return err_sys(err, "cannot write to the cache '%s'", cache->path);
	return 0;
}

void cache_discard(struct cache *cache, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE + 8];

	part_name(digest, name);
	(void)unlinkat(cache->ingest, name, 0);
}

/* Under the lock of the download, so that the blob that it becomes is not taken for the old one. */
int cache_drop(struct cache *cache, const struct digest *digest, int fd,
	       const struct patience *patience, struct err *err)
{
	int folder = cache_blobs(cache, digest), result = 0;
	char name[DIGEST_TEXT_SIZE + 8];
	struct stat part, wrong;
	auto_fd lock = -1;

	part_name(digest, name);
	lock = lock_part(cache, name, patience, &part, err);
	if (lock < 0)
		return -1;
	if (fstat(fd, &wrong) < 0)
		result = err_sys(err, "cannot use '%s' of the cache", digest->text);
	else if (is_same(folder, digest_hex(digest), &wrong) &&
		 unlinkat(folder, digest_hex(digest), 0) < 0 && errno != ENOENT)
		result = err_sys(err, "a wrong '%s' stays in the cache", digest->text);
	if (part.st_size == 0)
		(void)unlinkat(cache->ingest, name, 0);
	return result;
}

int cache_store(struct cache *cache, const struct digest *digest, const void *data, size_t size,
		struct err *err)
{
	/* What is there is replaced, but for a directory: that makes room, if it is empty. */
	(void)unlinkat(cache_blobs(cache, digest), digest_hex(digest), AT_REMOVEDIR);
	return cache_write(cache, cache_blobs(cache, digest), digest_hex(digest), data, size, err);
}
