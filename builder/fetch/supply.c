/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/supply.h"

#include "builder/fetch/cache.h"
#include "lib/file.h"
#include "lib/log.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { ROUNDS_MAX = 8 }; /* of looking into the cache for one layer */

struct supply {
	const struct reference *reference;
	struct registry *registry;
	struct cache *cache; /* NULL: none */
	char *name;
	size_t max;
	struct document top; /* but for its text */
};

/* First what the .part file holds, then what the registry has from there on, into the file as well.
 */
struct supply_blob {
	struct supply *supply;
	struct digest digest;
	char *what;
	int part;		 /* the cache's .part file, locked; -1: not through the cache */
	int cached;		 /* the cache's blob; -1 */
	bool complete;		 /* every byte of the part is there */
	uint64_t size, at, held; /* held: bytes of the part when it was opened */
	struct registry_blob *remote;
};

int supply_open(const struct reference *reference, const char *name, const struct conf *conf,
		const struct cache_place *cache, size_t max, struct supply **out, struct err *err)
{
	auto_supply *supply = calloc(1, sizeof(*supply));

	if (!supply || !(supply->name = strdup(name)))
		return err_sys(err, "cannot fetch '%s'", name);
	supply->reference = reference;
	supply->max = max;
	if (registry_open(reference, conf, &supply->registry, err) < 0)
		return -1;
	if (cache && cache_open(cache, &supply->cache, err) < 0)
		log_warning("%s; going on without a cache", err->text);
	*out = take_ptr(&supply);
	return 0;
}

void supply_close(struct supply *supply)
{
	if (!supply)
		return;
	registry_close(supply->registry);
	cache_close(supply->cache);
	free(supply->name);
	free(supply);
}

void supply_closep(struct supply **supply)
{
	supply_close(*supply);
}

/* A document of the cache, if it is there and right. */
static int read_cached(struct supply *supply, const struct digest *wanted, char **text,
		       size_t *size, struct err *err)
{
	auto_fd fd = supply->cache ? cache_find(supply->cache, wanted) : -1;
	auto_free char *data = NULL;
	struct digest digest;
	struct err ignored;
	size_t data_size;

	if (fd < 0 || file_read_fd(fd, wanted->text, supply->max, &data, &data_size, &ignored) < 0)
		return 0;
	if (digest_of_like(wanted, data, data_size, &digest, err) < 0)
		return -1;
	if (!digest_is(wanted, &digest)) {
		(void)cache_drop(supply->cache, wanted);
		return 0;
	}
	*size = data_size;
	*text = take_ptr(&data);
	return 1;
}

static void keep(struct supply *supply, const struct digest *digest, const char *text, size_t size)
{
	struct err err;

	if (supply->cache && cache_store(supply->cache, digest, text, size, &err) < 0)
		log_warning("%s", err.text);
}

/* What is no manifest is a blob. */
static int fetch_document(struct supply *supply, const struct digest *wanted, uint64_t size,
			  struct document *out, struct err *err)
{
	struct registry_blob *blob = NULL;
	auto_free char *data = NULL;
	size_t done = 0;
	ssize_t n;

	if (registry_blob_open(supply->registry, wanted, size, 0, &blob, err) < 0)
		return err_aim(err, "the configuration of '%s'", supply->name);
	data = malloc((size_t)size + 1);
	do
		n = data ? registry_blob_read(blob, data + done, (size_t)size - done + 1, err) : -1;
	while (n > 0 && (done += (size_t)n) <= size);
	registry_blob_close(blob);
	if (!data)
		return err_code(err, ENOMEM, "cannot fetch a configuration");
	if (n < 0)
		return err_aim(err, "the configuration of '%s'", supply->name);
	data[done] = 0;
	out->size = done;
	out->text = take_ptr(&data);
	return 0;
}

int supply_document(struct supply *supply, const struct digest *wanted, uint64_t size,
		    bool is_manifest, struct document *out, struct err *err)
{
	struct digest digest;
	int found;

	*out = (struct document){.digest = *wanted};
	found = read_cached(supply, wanted, &out->text, &out->size, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (size > supply->max)
		return err_set(err, "a document of '%s' is %" PRIu64 " bytes long, more than %zu",
			       supply->name, size, supply->max);
	if ((is_manifest ? registry_manifest(supply->registry, wanted->text, supply->max, out, err)
			 : fetch_document(supply, wanted, size, out, err)) < 0)
		return -1;
	if (digest_of_like(wanted, out->text, out->size, &digest, err) < 0)
		return -1;
	if (out->size != size || !digest_is(wanted, &digest)) {
		document_clear(out);
		return err_set(err, "a document of '%s' does not match its digest %s", supply->name,
			       wanted->text);
	}
	keep(supply, wanted, out->text, out->size);
	return 0;
}

int supply_top(struct supply *supply, struct document *out, struct err *err)
{
	const struct reference *reference = supply->reference;
	const char *what = reference->digest.text[0] ? reference->digest.text : reference->tag;
	int found = 0;

	*out = (struct document){.digest = reference->digest};
	if (reference->digest.text[0])
		found = read_cached(supply, &reference->digest, &out->text, &out->size, err);
	if (found < 0)
		return -1;
	if (found == 0) {
		if (registry_manifest(supply->registry, what, supply->max, out, err) < 0)
			return -1;
		keep(supply, &out->digest, out->text, out->size);
	}
	supply->top = *out;
	supply->top.text = NULL;
	return 0;
}

void supply_name(struct supply *supply, bool is_index)
{
	const struct document *top = &supply->top;
	const char *type = *top->media_type ? top->media_type
			   : is_index	    ? "application/vnd.oci.image.index.v1+json"
					    : "application/vnd.oci.image.manifest.v1+json";
	struct err err;

	if (supply->cache && top->size > 0 &&
	    cache_name(supply->cache, supply->name, &top->digest, top->size, type, &err) < 0)
		log_warning("%s", err.text);
}

/* A blob of the cache whose size is wrong is none: it is thrown away. Returns 1, or 0 without one.
 */
static int open_cached(struct supply_blob *blob, struct err *err)
{
	struct cache *cache = blob->supply->cache;
	struct stat stat;

	blob->cached = cache_find(cache, &blob->digest);
	if (blob->cached < 0)
		return 0;
	if (fstat(blob->cached, &stat) < 0 || (uint64_t)stat.st_size != blob->size) {
		own_close(&blob->cached);
		blob->cached = -1;
		return cache_drop(cache, &blob->digest) < 0
			       ? err_sys(err, "a wrong '%s' stays in the cache", blob->digest.text)
			       : 0;
	}
	log_debug("%s: from the cache", blob->what);
	return 1;
}

/*
 * The blob of the cache, or its part to go on with, @held bytes: 1, or 0 with the part. Or
 * neither, and -1; then the cache is of no use for this blob. Two rounds do as long as nobody
 * damages the cache time and again.
 */
static int consult_cache(struct supply_blob *blob, struct err *err)
{
	for (int rounds = 0; rounds < ROUNDS_MAX; rounds++) {
		int result = open_cached(blob, err);

		if (result != 0)
			return result;
		result = cache_begin(blob->supply->cache, &blob->digest, &blob->part, &blob->held,
				     err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return err_set(err, "'%s' is wrong in the cache time and again", blob->digest.text);
}

int supply_blob_open(struct supply *supply, const struct digest *digest, uint64_t size,
		     const char *what, struct supply_blob **out, struct err *err)
{
	struct supply_blob *blob = calloc(1, sizeof(*blob));

	if (!blob || !(blob->what = strdup(what))) {
		free(blob);
		return err_code(err, ENOMEM, "cannot fetch %s", what);
	}
	blob->supply = supply;
	blob->digest = *digest;
	blob->size = size;
	blob->part = blob->cached = -1;
	*out = blob;
	if (supply->cache && consult_cache(blob, err) < 0)
		log_warning("%s; going on without it", err->text);
	if (blob->cached >= 0)
		return 0;
	if (blob->held > size && ftruncate(blob->part, 0) == 0)
		blob->held = 0;
	if (blob->held > 0)
		log_info("%s: %" PRIu64 " of %" PRIu64 " bytes are in the cache", what, blob->held,
			 size);
	return 0;
}

int supply_blob_file(const struct supply_blob *blob)
{
	return blob->cached;
}

/* A cache that is full or not writable costs a download, not the image. */
static void stop_caching(struct supply_blob *blob)
{
	struct err err;

	(void)err_sys(&err, "cannot write to the cache");
	log_warning("%s; going on without it (firn cache gc makes room)", err.text);
	cache_discard(blob->supply->cache, &blob->digest);
	own_close(&blob->part);
	blob->part = -1;
}

static void keep_bytes(struct supply_blob *blob, const char *data, size_t size)
{
	if (blob->part >= 0 && file_write_at(blob->part, data, size, blob->at) < 0)
		stop_caching(blob);
}

static ssize_t read_held(struct supply_blob *blob, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (size > blob->held - blob->at)
		size = (size_t)(blob->held - blob->at);
	n = file_read_at(blob->part, buffer, size, blob->at);
	if (n < 0)
		return err_sys(err, "cannot read the cache");
	if (n == 0)
		return err_set(err, "the cache is shorter than it was");
	blob->at += (uint64_t)n;
	return n;
}

ssize_t supply_blob_read(struct supply_blob *blob, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (blob->complete)
		return 0;
	if (blob->at < blob->held)
		return read_held(blob, buffer, size, err);
	if (!blob->remote && registry_blob_open(blob->supply->registry, &blob->digest, blob->size,
						blob->at, &blob->remote, err) < 0)
		return -1;
	n = registry_blob_read(blob->remote, buffer, size, err);
	if (n <= 0) {
		blob->complete = n == 0;
		return n;
	}
	keep_bytes(blob, buffer, (size_t)n);
	blob->at += (uint64_t)n;
	return n;
}

static void judge(struct supply_blob *blob, bool right)
{
	struct cache *cache = blob->supply->cache;
	struct err err;

	if (blob->part >= 0) {
		if (right && blob->complete && cache_commit(cache, &blob->digest, &err) < 0)
			log_warning("%s: the layer will be fetched again next time", err.text);
		else if (!right && blob->complete)
			cache_discard(cache, &blob->digest);
	} else if (!right && blob->cached >= 0) {
		(void)cache_drop(cache, &blob->digest); /* next time it is fetched anew */
	}
}

void supply_blob_close(struct supply_blob *blob, enum supply_verdict verdict)
{
	if (!blob)
		return;
	registry_blob_close(blob->remote);
	if (verdict != SUPPLY_UNKNOWN)
		judge(blob, verdict == SUPPLY_RIGHT);
	own_close(&blob->part);
	own_close(&blob->cached);
	free(blob->what);
	free(blob);
}
