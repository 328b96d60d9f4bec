/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/cache_private.h"
#include "builder/source/json_name.h"
#include "builder/source/manifest.h"
#include "lib/file.h"
#include "lib/size.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sys/file.h>
#include <time.h>

#define INDEX "index.json"
#define REF_NAME "org.opencontainers.image.ref.name"

enum { INDEX_MAX = 64 << 20, STALE_SECONDS = 7 * 24 * 3600, TIME_TEXT_SIZE = 32 };

/* What gc weighs. */
struct blob {
	int folder;
	char name[CACHE_HEX_MAX + 1];
	uint64_t size;
	time_t used;
};

struct blobs {
	struct blob *item;
	size_t count, room;
	uint64_t size;
};

/* index.json is read, changed and written by one process at a time. */
static int lock_index(struct cache *cache, struct err *err)
{
	int fd = cache_open_file(cache->ingest, "index.lock", O_RDWR | O_CREAT);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			own_close(&fd), fd = -1;
	return fd < 0 ? err_sys(err, "cannot lock the cache '%s'", cache->path) : fd;
}

/* The document @fd, or NULL; one that cannot be read counts as none. */
static json_t *load(int fd, size_t max)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t size;

	if (file_read_fd(fd, INDEX, max, &text, &size, &ignored) < 0)
		return NULL;
	return json_loadb(text, size, 0, NULL);
}

static json_t *load_index(struct cache *cache)
{
	auto_fd fd = cache_open_file(cache->folder, INDEX, O_RDONLY);
	json_t *index = fd >= 0 ? load(fd, INDEX_MAX) : NULL;

	if (json_is_array(json_object_get(index, "manifests")))
		return index;
	json_decref(index);
	return json_pack("{s:i, s:[]}", "schemaVersion", 2, "manifests");
}

static int save_index(struct cache *cache, const json_t *index, struct err *err)
{
	auto_free char *text = index ? json_dumps(index, JSON_COMPACT) : NULL;

	if (!text)
		return err_code(err, ENOMEM, "cannot write to the cache '%s'", cache->path);
	return cache_write(cache, cache->folder, INDEX, text, strlen(text), err);
}

static const char *name_of(const json_t *entry)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));

	return name ? name : "";
}

/* Bytes of "HOST/NAME" before the tag or the digest. */
static size_t repository_len(const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t start = slash ? (size_t)(slash - name) : 0;

	return start + strcspn(name + start, ":@");
}

/*
 * Whether @entry, of the image @digest, says nothing that @name does not: it has the same name, or
 * is of the same repository without a tag. Under two tags an image is listed twice.
 */
static bool is_said_by(const json_t *entry, const char *name, const char *digest)
{
	const char *own = name_of(entry);
	const char *its = json_string_value(json_object_get(entry, "digest"));
	size_t len = repository_len(name);

	if (strcmp(own, name) == 0)
		return true;
	return its && strcmp(its, digest) == 0 && repository_len(own) == len &&
	       strncmp(own, name, len) == 0 && own[len] == '@';
}

/* Whether @name, by a digest alone, is that of an image which is listed with a tag. */
static bool is_listed(const json_t *list, const char *name, const char *digest)
{
	size_t len = repository_len(name);

	for (size_t i = 0; name[len] == '@' && i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *its = json_string_value(json_object_get(entry, "digest"));

		if (its && strcmp(its, digest) == 0 && repository_len(name_of(entry)) == len &&
		    strncmp(name_of(entry), name, len) == 0 && name_of(entry)[len] == ':')
			return true;
	}
	return false;
}

int cache_name(struct cache *cache, const char *name, const struct digest *digest, uint64_t size,
	       const char *media_type, struct err *err)
{
	auto_fd lock = lock_index(cache, err);
	json_auto_t *index = lock >= 0 ? load_index(cache) : NULL;
	json_t *list = json_object_get(index, "manifests");

	if (lock < 0)
		return -1;
	if (is_listed(list, name, digest->text))
		return 0;
	for (size_t i = json_array_size(list); i-- > 0;)
		if (is_said_by(json_array_get(list, i), name, digest->text))
			(void)json_array_remove(list, i);
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType", media_type,
					      "digest", digest->text, "size", (json_int_t)size,
					      "annotations", REF_NAME, name));
	return save_index(cache, index, err);
}

bool cache_knows_host(const struct cache_place *place, const char *host)
{
	auto_cache *cache = NULL;
	json_auto_t *index = NULL;
	const json_t *list;
	struct err ignored;
	size_t len = strlen(host);

	if (cache_open(place, &cache, &ignored) < 0)
		return false;
	index = load_index(cache);
	list = json_object_get(index, "manifests");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = name_of(json_array_get(list, i));

		if (strncmp(name, host, len) == 0 && name[len] == '/')
			return true;
	}
	return false;
}

/* @name is @len bytes long, CACHE_HEX_MAX at most. */
static int add_blob(struct blobs *blobs, int folder, const char *name, size_t len,
		    const struct stat *stat)
{
	struct blob *blob;

	if (blobs->count == blobs->room) {
		size_t room = blobs->room ? 2 * blobs->room : 64;
		struct blob *grown = reallocarray(blobs->item, room, sizeof(*grown));

		if (!grown)
			return -1;
		blobs->item = grown;
		blobs->room = room;
	}
	blob = &blobs->item[blobs->count++];
	blob->folder = folder;
	memcpy(blob->name, name, len + 1);
	blob->size = (uint64_t)stat->st_size;
	blob->used = stat->st_mtime;
	blobs->size += blob->size;
	return 0;
}

static int list_folder(struct cache *cache, int folder, size_t len, struct blobs *blobs,
		       struct err *err)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return err_sys(err, "cannot read the cache '%s'", cache->path);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		struct stat stat;

		if (strlen(entry->d_name) != len ||
		    fstatat(folder, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(stat.st_mode))
			continue;
		if (add_blob(blobs, folder, entry->d_name, len, &stat) < 0)
			return err_sys(err, "cannot read the cache '%s'", cache->path);
	}
	return errno == 0 ? 0 : err_sys(err, "cannot read the cache '%s'", cache->path);
}

static int list_blobs(struct cache *cache, struct blobs *blobs, struct err *err)
{
	static const size_t lens[] = {[CACHE_SHA256] = 64, [CACHE_SHA512] = CACHE_HEX_MAX};

	for (size_t i = 0; i < CACHE_ALGORITHMS; i++)
		if (list_folder(cache, cache->blobs[i], lens[i], blobs, err) < 0)
			return -1;
	return 0;
}

/* The size of a blob that is here, or 0; @used becomes the time of its last use if that is later.
 */
static uint64_t blob_size(struct cache *cache, const struct digest *digest, time_t *used)
{
	struct stat stat;

	if (fstatat(cache_blobs(cache, digest), digest_hex(digest), &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (stat.st_mtime > *used)
		*used = stat.st_mtime;
	return (uint64_t)stat.st_size;
}

/* A manifest's blobs, or those of an index' manifests, summed up: what of them is here. */
static uint64_t image_size(struct cache *cache, const char *digest_text, int depth, time_t *used)
{
	struct digest digest;
	auto_fd fd = -1;
	json_auto_t *manifest = NULL;
	const json_t *layers, *parts;
	uint64_t size = 0;

	if (digest_take(&digest, digest_text) < 0)
		return 0;
	(void)blob_size(cache, &digest, used);
	fd = cache_open_file(cache_blobs(cache, &digest), digest_hex(&digest), O_RDONLY);
	manifest = fd >= 0 ? load(fd, DOCUMENT_MAX) : NULL;
	parts = json_object_get(manifest, "manifests");
	for (size_t i = 0; depth > 0 && i < json_array_size(parts); i++)
		size += image_size(cache,
				   json_string_value(
					   json_object_get(json_array_get(parts, i), "digest")),
				   depth - 1, used);
	layers = json_object_get(manifest, "layers");
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *layer = json_array_get(layers, i);

		if (digest_take(&digest, json_string_value(json_object_get(layer, "digest"))) == 0)
			size += blob_size(cache, &digest, used);
	}
	return size;
}

/* "" for what is not there at all. */
static void print_time(time_t when, char out[TIME_TEXT_SIZE])
{
	struct tm utc;

	out[0] = '\0';
	if (when > 0 && gmtime_r(&when, &utc))
		(void)strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static const char *size_text(uint64_t size, char room[SIZE_TEXT_SIZE])
{
	size_print(size, room);
	return room;
}

int cache_list(struct cache *cache, bool json, struct err *err)
{
	json_auto_t *index = load_index(cache), *out = json_array();
	const json_t *list = json_object_get(index, "manifests");
	struct blobs blobs = {0};
	char room[SIZE_TEXT_SIZE];
	int result = list_blobs(cache, &blobs, err);

	for (size_t i = 0; result == 0 && i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *digest = json_string_value(json_object_get(entry, "digest"));
		time_t when = 0;
		uint64_t size = image_size(cache, digest, 2, &when);
		char used[TIME_TEXT_SIZE];

		print_time(when, used);
		if (json)
			(void)json_array_append_new(out, json_pack("{s:s, s:s?, s:I, s:s?}", "name",
								   name_of(entry), "manifest",
								   digest, "size", (json_int_t)size,
								   "used", *used ? used : NULL));
		else
			printf("%10s  %-10.10s  %.19s  %s\n", size_text(size, room), used,
			       digest ? digest : "", name_of(entry));
	}
	if (result == 0 && json) {
		json_auto_t *all = json_pack("{s:o, s:I, s:I, s:O}", "directory",
					     json_name(cache->path), "size", (json_int_t)blobs.size,
					     "blobs", (json_int_t)blobs.count, "images", out);

		(void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		(void)putchar('\n');
	} else if (result == 0) {
		printf("%10s  in %zu blobs of %s\n", size_text(blobs.size, room), blobs.count,
		       cache->path);
	}
	free(blobs.item);
	return result;
}

static int oldest_first(const void *a, const void *b)
{
	const struct blob *x = a, *y = b;

	return x->used != y->used ? (x->used < y->used ? -1 : 1) : strcmp(x->name, y->name);
}

/* Downloads that nobody went on with. One that is locked is somebody's. */
static void remove_stale(struct cache *cache)
{
	int fd = openat(cache->ingest, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		auto_fd part = -1;
		struct stat stat;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "index.lock") == 0)
			continue;
		part = cache_open_file(cache->ingest, entry->d_name, O_RDONLY);
		if (part >= 0 && fstat(part, &stat) == 0 &&
		    stat.st_mtime + STALE_SECONDS < time(NULL) &&
		    flock(part, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(cache->ingest, entry->d_name, 0);
	}
}

static bool is_there(struct cache *cache, const json_t *descriptor)
{
	struct digest digest;

	return digest_take(&digest, json_string_value(json_object_get(descriptor,
								      "digest"))) == 0 &&
	       faccessat(cache_blobs(cache, &digest), digest_hex(&digest), F_OK, 0) == 0;
}

/* Whether all of an image is here; of an index' images one is enough. */
static bool is_whole(struct cache *cache, const json_t *descriptor, int depth)
{
	struct digest digest;
	auto_fd fd = -1;
	json_auto_t *manifest = NULL;
	const json_t *layers, *parts;

	if (depth == 0 ||
	    digest_take(&digest, json_string_value(json_object_get(descriptor, "digest"))) < 0)
		return false;
	fd = cache_open_file(cache_blobs(cache, &digest), digest_hex(&digest), O_RDONLY);
	manifest = fd >= 0 ? load(fd, DOCUMENT_MAX) : NULL;
	parts = json_object_get(manifest, "manifests");
	for (size_t i = 0; i < json_array_size(parts); i++)
		if (is_whole(cache, json_array_get(parts, i), depth - 1))
			return true;
	layers = json_object_get(manifest, "layers");
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (!is_there(cache, json_array_get(layers, i)))
			return false;
	return layers && is_there(cache, json_object_get(manifest, "config"));
}

/* Names of images that are not all there any more. */
static int clean_index(struct cache *cache, struct err *err)
{
	auto_fd lock = lock_index(cache, err);
	json_auto_t *index = lock >= 0 ? load_index(cache) : NULL;
	json_t *list = json_object_get(index, "manifests");

	if (lock < 0)
		return -1;
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!is_whole(cache, json_array_get(list, i), 3))
			(void)json_array_remove(list, i);
	return save_index(cache, index, err);
}

int cache_gc(struct cache *cache, uint64_t keep, bool json, struct err *err)
{
	struct blobs blobs = {0};
	char room[SIZE_TEXT_SIZE], left[SIZE_TEXT_SIZE];
	uint64_t removed = 0;
	size_t count = 0;
	int result = list_blobs(cache, &blobs, err);

	if (blobs.count > 0)
		qsort(blobs.item, blobs.count, sizeof(*blobs.item), oldest_first);
	for (; result == 0 && count < blobs.count && blobs.size - removed > keep; count++) {
		if (unlinkat(blobs.item[count].folder, blobs.item[count].name, 0) < 0 &&
		    errno != ENOENT)
			result = err_sys(err, "cannot remove '%s' from the cache",
					 blobs.item[count].name);
		removed += blobs.item[count].size;
	}
	free(blobs.item);
	remove_stale(cache);
	if (result < 0 || clean_index(cache, err) < 0)
		return -1;
	if (json)
		printf("{\"removed\": %zu, \"removed_size\": %" PRIu64 ", \"size\": %" PRIu64 "}\n",
		       count, removed, blobs.size - removed);
	else
		printf("%zu blobs of %s removed, %s left\n", count, size_text(removed, room),
		       size_text(blobs.size - removed, left));
	return 0;
}
