/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/cache_private.h"

#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct err err;
static char folder[] = "/tmp/firn-cache.XXXXXX", path[200], link_target[200];
static struct cache *cache;
static struct digest digest; /* of text[] */
static const char text[] = "a layer";
static bool broken; /* no directory can be read */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *__wrap_readdir(DIR *dir)
{
	if (!broken)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

/* "FOLDER/NAME", of the blob or of its part with @end behind. */
static const char *place(const char *where, const char *end)
{
	static char out[400];

	(void)snprintf(out, sizeof(out), "%s/%s/%s%s", path, where, digest_hex(&digest), end);
	return out;
}

#define BLOB place("blobs/sha256", "")
#define PART place("ingest", ".part")

static void put(const char *name, const char *what)
{
	FILE *file = fopen(name, "we");

	if (!file || fputs(what, file) < 0 || fclose(file) != 0)
		exit(2);
}

static bool is_blob(int fd)
{
	char buffer[64];
	bool same = fd >= 0 && pread(fd, buffer, sizeof(buffer), 0) == (ssize_t)strlen(text) &&
		    memcmp(buffer, text, strlen(text)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return same;
}

/* Begin the download, write it, and make it the blob. */
static bool can_download(void)
{
	uint64_t held = 99;
	auto_fd fd = -1;

	return cache_begin(cache, &digest, NULL, &fd, &held, &err) == 1 && held == 0 &&
	       pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text) &&
	       cache_commit(cache, &digest, &err) == 0 && is_blob(cache_find(cache, &digest)) &&
	       cache_drop(cache, &digest, fd, NULL, &err) == 0 && cache_find(cache, &digest) == -1;
}

static void a_download_becomes_a_blob(void)
{
	uint64_t held = 99;
	int fd = -1;

	ok(cache_find(cache, &digest) == -1 && errno == ENOENT,
	   "what was never fetched is not there");
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == 1 && held == 0,
	   "a download begins empty");
	ok(pwrite(fd, text, 3, 0) == 3, "some bytes come");
	ok(cache_find(cache, &digest) == -1, "half of it is no blob");
	(void)close(fd);
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == 1 && held == 3,
	   "it goes on from there");
	ok(flock(fd, LOCK_EX | LOCK_NB) == 0, "under its lock");
	ok(pwrite(fd, text + 3, strlen(text) - 3, 3) == (ssize_t)strlen(text) - 3,
	   "the rest comes");
	ok(cache_commit(cache, &digest, &err) == 0, "it is committed");
	(void)close(fd);
	ok(is_blob(cache_find(cache, &digest)), "and is the blob");
	ok(access(PART, F_OK) < 0, "its part is gone");
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == 0,
	   "there is nothing to download then");
	ok(access(PART, F_OK) < 0, "and no part is left of the question");
	fd = cache_find(cache, &digest);
	ok(cache_drop(cache, &digest, fd, NULL, &err) == 0 && cache_find(cache, &digest) == -1,
	   "a dropped blob is gone");
	ok(cache_drop(cache, &digest, fd, NULL, &err) == 0, "also when it was gone");
	ok(access(PART, F_OK) < 0, "and no part is left of it");
	put(BLOB, text);
	ok(cache_drop(cache, &digest, fd, NULL, &err) == 0 && is_blob(cache_find(cache, &digest)),
	   "one that has taken its place stays");
	(void)unlink(BLOB);
	put(PART, "half");
	ok(cache_drop(cache, &digest, fd, NULL, &err) == 0 && access(PART, F_OK) == 0,
	   "as does a download that was cut off");
	(void)unlink(PART);
	(void)close(fd);
}

static bool lasts_twice(const void *arg)
{
	return --*(int *)(uintptr_t)arg >= 0;
}

/* Somebody has it, and may never let it go. */
static void who_holds_a_download_does_not_hold_us(void)
{
	int left = 2, fd = -1, lock = open(PART, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct patience patience = {lasts_twice, &left};
	uint64_t held;

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return;
	ok(cache_begin(cache, &digest, &patience, &fd, &held, &err) == -1 && left < 0,
	   "who is not waited for any more does not wait for a lock");
	cache->still_ms = 200;
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == -1 &&
		   strstr(err.text, "another build holds"),
	   "nor does anybody for a download that stands still (%s)", err.text);
	cache->still_ms = CACHE_STILL_MS;
	(void)close(lock);
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == 1, "a lock that is free is had");
	cache_discard(cache, &digest);
	(void)close(fd);
}

static void a_wrong_download_goes(void)
{
	uint64_t held = 99;
	int fd = -1;

	put(PART, "something else");
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == 1 && held == 14,
	   "what is there is told");
	cache_discard(cache, &digest);
	(void)close(fd);
	ok(access(PART, F_OK) < 0, "and discarded");
	ok(can_download(), "the next one begins anew");
}

static void what_is_no_blob_makes_room(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)mkdir(BLOB, 0700);
	ok(cache_find(cache, &digest) == -1 && errno == EINVAL, "a directory is no blob");
	ok(can_download(), "and makes room");
	(void)mkdir(BLOB, 0700);
	ok(cache_store(cache, &digest, text, strlen(text), &err) == 0, "for documents as well");
	ok(is_blob(cache_find(cache, &digest)), "which are blobs");
	(void)unlink(BLOB);
	put(link_target, text);
	(void)!symlink(link_target, BLOB);
	ok(cache_find(cache, &digest) == -1 && errno == EINVAL, "nor is a link");
	ok(can_download(), "which makes room");
	ok(access(link_target, F_OK) == 0, "alone");
	(void)unlink(link_target);
	(void)mkfifo(BLOB, 0600);
	ok(cache_find(cache, &digest) == -1 && errno == EINVAL,
	   "nor is a pipe, and nobody waits for it");
	ok(can_download(), "which makes room");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", BLOB);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		ok(can_download(), "a socket makes room");
	(void)close(fd);
	put(BLOB, text);
	(void)chmod(BLOB, 0);
	ok(geteuid() == 0 || can_download(), "so does a file that nobody may read");
	(void)unlink(BLOB);
}

static void what_is_no_part_makes_room(void)
{
	(void)mkdir(PART, 0700);
	ok(can_download(), "a directory in a download's place");
	(void)!symlink("/dev/zero", PART);
	ok(can_download(), "a link there");
	(void)mkfifo(PART, 0600);
	ok(can_download(), "a pipe there");
}

static void what_cannot_be_removed_is_an_error(void)
{
	char inside[500];
	uint64_t held;
	int fd = -1;

	(void)mkdir(BLOB, 0700);
	(void)snprintf(inside, sizeof(inside), "%s/file", BLOB);
	put(inside, "of somebody's");
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == -1,
	   "a directory with something in it");
	ok(strstr(err.text, digest_hex(&digest)) && strstr(err.text, path),
	   "is named with its cache");
	ok(cache_store(cache, &digest, text, strlen(text), &err) == -1, "and nothing replaces it");
	ok(access(inside, F_OK) == 0, "or removes it");
	(void)unlink(inside);
	(void)rmdir(BLOB);
	(void)unlink(PART);
}

/* With no descriptor left, a good blob is neither found nor removed. */
static void errors_of_opening_cost_no_blob(void)
{
	struct rlimit old, none;
	uint64_t held;
	int fd = -1;

	put(BLOB, text);
	(void)getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){0, old.rlim_max};
	(void)setrlimit(RLIMIT_NOFILE, &none);
	ok(cache_find(cache, &digest) == -1 && errno == EMFILE, "no descriptor is left");
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == -1, "that is an error");
	(void)setrlimit(RLIMIT_NOFILE, &old);
	ok(is_blob(cache_find(cache, &digest)), "and the blob is still there");
	(void)unlink(BLOB);
	put(BLOB, text);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	none.rlim_cur = (rlim_t)fd + 1; /* one more: the part is opened, the blob is not */
	(void)close(fd);
	(void)setrlimit(RLIMIT_NOFILE, &none);
	ok(cache_begin(cache, &digest, NULL, &fd, &held, &err) == -1,
	   "the same with the part open");
	(void)setrlimit(RLIMIT_NOFILE, &old);
	ok(is_blob(cache_find(cache, &digest)), "and the blob is still there");
	(void)unlink(BLOB);
	(void)unlink(PART);
}

/* A cache that others can write to, or own, is not used; nor is a file in its place. */
static void others_caches_are_refused(void)
{
	struct cache *other = NULL;

	(void)chmod(path, 0777);
	ok(cache_open(&(struct cache_place){.path = path}, &other, &err) == -1 &&
		   strstr(err.text, "other"),
	   "one that all may write to");
	(void)chmod(path, 0700);
	if (geteuid() == 0) {
		(void)!chown(path, 12345, 0);
		ok(cache_open(&(struct cache_place){.path = path}, &other, &err) == -1 &&
			   strstr(err.text, "other"),
		   "one of another user");
		(void)!chown(path, 0, 0);
	} else {
		ok(cache_open(&(struct cache_place){.path = (char *)"/"}, &other, &err) == -1 &&
			   strstr(err.text, "other"),
		   "one of another user");
	}
	put(BLOB, text);
	ok(cache_open(&(struct cache_place){.path = (char *)BLOB}, &other, &err) == -1, "a file");
	(void)unlink(BLOB);
	(void)!symlink(path, link_target);
	ok(cache_open(&(struct cache_place){.path = link_target}, &other, &err) == 0,
	   "the user's own link leads to his cache");
	cache_close(other);
	if (geteuid() == 0 && lchown(link_target, 12345, 0) == 0)
		ok(cache_open(&(struct cache_place){.path = link_target}, &other, &err) == -1 &&
			   strstr(err.text, "a link of another user's (12345); as root: rm '"),
		   "another's does not");
	(void)unlink(link_target);
}

/* As the layout has it, each algorithm's blobs are in a folder of their own. */
static void sha512_has_its_own_folder(void)
{
	char name[400], hex[129];
	bool gone;
	auto_fd saved = dup(1), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)snprintf(hex, sizeof(hex), "%0128d", 7);
	(void)snprintf(name, sizeof(name), "%s/blobs/sha512/%s", path, hex);
	put(name, text);
	(void)fflush(stdout);
	(void)dup2(null, 1);
	gone = cache_gc(cache, 0, true, &err) == 0 && access(name, F_OK) < 0;
	(void)fflush(stdout);
	(void)dup2(saved, 1);
	ok(gone, "gc knows the blobs of sha512");
}

static void gc_passes_over_what_is_no_blob(void)
{
	auto_fd saved = dup(1), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int removed, listed, half;

	(void)mkdir(BLOB, 0700);
	(void)mkfifo(PART, 0600);
	(void)fflush(stdout);
	(void)dup2(null, 1);
	removed = cache_gc(cache, 0, true, &err);
	listed = cache_list(cache, true, &err);
	broken = true;
	half = cache_gc(cache, 0, true, &err);
	broken = false;
	(void)fflush(stdout);
	(void)dup2(saved, 1);
	ok(removed == 0, "gc of a cache with a directory and a pipe in it");
	ok(listed == 0, "which can be listed");
	ok(half == -1 && err.code == EIO, "one that cannot be read to its end is an error");
	(void)rmdir(BLOB);
	(void)unlink(PART);
}

static int remove_one(const char *name, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat, (void)type, (void)at;
	return remove(name);
}

int main(void)
{
	if (!mkdtemp(folder) || digest_of(text, strlen(text), &digest, &err) < 0)
		return 2;
	(void)snprintf(path, sizeof(path), "%s/deep/cache", folder);
	(void)snprintf(link_target, sizeof(link_target), "%s/file", folder);
	ok(cache_open(&(struct cache_place){.path = path}, &cache, &err) == 0,
	   "a cache is made with its folders");
	a_download_becomes_a_blob();
	who_holds_a_download_does_not_hold_us();
	a_wrong_download_goes();
	what_is_no_blob_makes_room();
	what_is_no_part_makes_room();
	what_cannot_be_removed_is_an_error();
	errors_of_opening_cost_no_blob();
	others_caches_are_refused();
	gc_passes_over_what_is_no_blob();
	sha512_has_its_own_folder();
	cache_close(cache);
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}
