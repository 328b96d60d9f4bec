/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/supply.h"

#include "builder/fetch/cache.h"
#include "lib/file.h"
#include "lib/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

enum {
	ROUNDS_MAX = 8, /* of looking into the cache for one layer */
	WRONG_MAX = 2,	/* times that a blob is wrong: in the cache, and as it came then */
};

#define DAMAGED "the cache's copy is damaged; it is fetched anew"

/* A blob that was wrong. */
struct wrong {
	struct digest digest;
	unsigned times;
	struct wrong *next;
};

struct supply {
	const struct reference *reference;
	struct registry *registry;
	struct cache *cache; /* NULL: none */
	char *name;
	size_t max;
	struct document top; /* but for its text */
	pthread_mutex_t lock; /* over what was wrong */
	struct wrong *wrong;
};

/* First what the .part file holds, then what the registry has from there on, into the file as well.
 */
struct supply_blob {
	struct supply *supply;
	const struct patience *patience;
	struct digest digest;
	char *what;
	int part;		 /* the cache's .part file, locked; -1: not through the cache */
	int cached;		 /* the cache's blob; -1 */
	struct hasher *sum;	 /* of all that comes; NULL: of what is in the cache */
	bool complete;		 /* every byte has come */
	bool right;		 /* and its digest is the blob's */
	bool failed;		 /* the rest could not be had */
	uint64_t size, at, held; /* held: bytes of the part when it was opened */
	struct registry_blob *remote;
};

int supply_open(const struct reference *reference, const char *name, const struct conf *conf,
		const struct cache_place *cache, size_t max, struct supply **out, struct err *err)
{
	auto_supply *supply = calloc(1, sizeof(*supply));

	if (!supply || !(supply->name = strdup(name)))
		return err_sys(err, "cannot fetch '%s'", name);
	(void)pthread_mutex_init(&supply->lock, NULL);
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
	while (supply->wrong) {
		struct wrong *next = supply->wrong->next;

		free(supply->wrong);
		supply->wrong = next;
	}
	free(supply->name);
	free(supply);
}

void supply_closep(struct supply **supply)
{
	supply_close(*supply);
}

/* How often @digest was wrong, once more with @more; as often as may be without memory. */
static unsigned count_wrong(struct supply *supply, const struct digest *digest, bool more)
{
	struct wrong *wrong;
	unsigned times = 0;

	(void)pthread_mutex_lock(&supply->lock);
	for (wrong = supply->wrong; wrong && !digest_is(&wrong->digest, digest);)
		wrong = wrong->next;
	if (!wrong && more && (wrong = calloc(1, sizeof(*wrong)))) {
		*wrong = (struct wrong){*digest, 0, supply->wrong};
		supply->wrong = wrong;
	}
	if (wrong)
		times = wrong->times += more;
	else if (more)
		times = WRONG_MAX;
	(void)pthread_mutex_unlock(&supply->lock);
	return times;
}

/* A document of the cache, if it is there and right; a wrong one is replaced by what is fetched. */
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
	if (!digest_is(wanted, &digest))
		return 0;
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
			  const struct patience *patience, struct document *out, struct err *err)
{
	struct registry_blob *blob = NULL;
	auto_free char *data = NULL;
	size_t done = 0;
	ssize_t n;

	if (registry_blob_open(supply->registry, wanted, size, 0, patience, &blob, err) < 0)
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
		    bool is_manifest, const struct patience *patience, struct document *out,
		    struct err *err)
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
	if ((is_manifest ? registry_manifest(supply->registry, wanted->text, supply->max, patience,
					     out, err)
			 : fetch_document(supply, wanted, size, patience, out, err)) < 0)
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

int supply_top(struct supply *supply, const struct patience *patience, struct document *out,
	       struct err *err)
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
		if (registry_manifest(supply->registry, what, supply->max, patience, out, err) < 0)
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

/* Whether all that is in the file @fd is the blob, whatever was said of its size. */
static bool is_right(const struct supply_blob *blob, int fd)
{
	auto_hasher *sum = hasher_new_like(&blob->digest);
	struct digest digest;
	struct err ignored;
	struct stat stat;

	if (!sum || fstat(fd, &stat) < 0)
		return true; /* there is no telling */
	if (hasher_add_file(sum, fd, 0, (uint64_t)stat.st_size, blob->what, &ignored) < 0)
		return false;
	hasher_end(sum, &digest);
	return digest_is(&blob->digest, &digest);
}

/* The blob that is open in the cache is wrong: it goes. Returns 0, or -1 with @err. */
static int drop_cached(struct supply_blob *blob, struct err *err)
{
	auto_fd fd = take_fd(&blob->cached);

	if (cache_drop(blob->supply->cache, &blob->digest, fd, blob->patience, err) < 0)
		return -1;
	log_warning("%s: " DAMAGED, blob->what);
	return 0;
}

/*
 * A blob of the cache whose size is wrong is none: it is thrown away, unless it was the size that
 * was asked for that is wrong. Returns 1, or 0 without one.
 */
static int open_cached(struct supply_blob *blob, struct err *err)
{
	struct stat stat;

	blob->cached = cache_find(blob->supply->cache, &blob->digest);
	if (blob->cached < 0)
		return 0;
	if (fstat(blob->cached, &stat) == 0 && (uint64_t)stat.st_size == blob->size) {
		log_debug("%s: from the cache", blob->what);
		return 1;
	}
	if (!is_right(blob, blob->cached))
		return drop_cached(blob, err);
	own_close(&blob->cached);
	blob->cached = -1;
	return err_set(err, "%s has another size in the cache", blob->what);
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
		result = cache_begin(blob->supply->cache, &blob->digest, blob->patience,
				     &blob->part, &blob->held, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return err_set(err, "'%s' is wrong in the cache time and again", blob->digest.text);
}

int supply_blob_open(struct supply *supply, const struct digest *digest, uint64_t size,
		     const char *what, const struct patience *patience, struct supply_blob **out,
		     struct err *err)
{
	struct supply_blob *blob;

	if (count_wrong(supply, digest, false) >= WRONG_MAX)
		return err_set(err, "%s was wrong more than once", what);
	blob = calloc(1, sizeof(*blob));
	if (!blob || !(blob->what = strdup(what))) {
		free(blob);
		return err_code(err, ENOMEM, "cannot fetch %s", what);
	}
	blob->supply = supply;
	blob->patience = patience;
	blob->digest = *digest;
	blob->size = size;
	blob->part = blob->cached = -1;
	*out = blob;
	if (supply->cache && consult_cache(blob, err) < 0)
		log_warning("%s; going on without it", err->text);
	if (blob->cached >= 0)
		return 0;
	blob->sum = hasher_new_like(digest);
	if (!blob->sum) {
		(void)supply_blob_close(take_ptr(out), SUPPLY_UNKNOWN);
		return err_code(err, ENOMEM, "cannot fetch %s", what);
	}
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

	(void)err_sys(&err, "cannot write to the cache '%.256s'", cache_path(blob->supply->cache));
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

static ssize_t read_on(struct supply_blob *blob, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (blob->at < blob->held)
		return read_held(blob, buffer, size, err);
	if (!blob->remote && registry_blob_open(blob->supply->registry, &blob->digest, blob->size,
						blob->at, blob->patience, &blob->remote, err) < 0)
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

/* All of it has come. */
static ssize_t check_sum(struct supply_blob *blob, struct err *err)
{
	struct digest digest;

	hasher_end(blob->sum, &digest);
	blob->right = digest_is(&blob->digest, &digest);
	return blob->right ? 0
			   : err_set(err, "its bytes do not match its digest; they sum up to %s",
				     digest.text);
}

ssize_t supply_blob_read(struct supply_blob *blob, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (blob->complete)
		return 0;
	n = read_on(blob, buffer, size, err);
	if (n > 0)
		hasher_add(blob->sum, buffer, (size_t)n);
	else if (n < 0) /* that nobody waits for it is no failure */
		blob->failed = patience_lasts(blob->patience);
	return n == 0 ? check_sum(blob, err) : n;
}

bool supply_blob_has_more(struct supply_blob *blob, long long ms)
{
	return blob->at < blob->held || (blob->remote && registry_blob_has_more(blob->remote, ms));
}

/* It is wrong, and so is its part; bytes that were in that before may be why. */
static bool discard(struct supply_blob *blob)
{
	unsigned times = count_wrong(blob->supply, &blob->digest, true);

	if (blob->part < 0)
		return false;
	cache_discard(blob->supply->cache, &blob->digest);
	if (blob->held == 0 || times >= WRONG_MAX)
		return false;
	log_warning("%s: " DAMAGED, blob->what);
	return true;
}

/* It came, into its part or not: all of it, or as much as was wanted. */
static bool judge_fetched(struct supply_blob *blob, bool wrong)
{
	struct err err;

	if (!blob->complete)
		return wrong && !blob->failed && blob->held > 0 && discard(blob);
	if (!blob->right)
		return discard(blob);
	if (blob->part >= 0 && cache_commit(blob->supply->cache, &blob->digest, &err) < 0)
		log_warning("%s: the layer will be fetched again next time", err.text);
	return false;
}

/* Whoever says that it is wrong may have read it wrong, or lie: it is summed up. */
static bool judge_cached(struct supply_blob *blob)
{
	struct err err;

	if (is_right(blob, blob->cached))
		return false;
	if (count_wrong(blob->supply, &blob->digest, true) >= WRONG_MAX) {
		(void)cache_drop(blob->supply->cache, &blob->digest, blob->cached, blob->patience,
				 &err);
		return false;
	}
	if (drop_cached(blob, &err) == 0)
		return true;
	log_warning("%s", err.text);
	return false;
}

bool supply_blob_close(struct supply_blob *blob, enum supply_verdict verdict)
{
	bool again = false;

	if (!blob)
		return false;
	registry_blob_close(blob->remote);
	if (blob->cached >= 0)
		again = verdict == SUPPLY_WRONG && judge_cached(blob);
	else if (blob->sum)
		again = judge_fetched(blob, verdict == SUPPLY_WRONG);
	own_close(&blob->part);
	own_close(&blob->cached);
	hasher_free(blob->sum);
	free(blob->what);
	free(blob);
	return again;
}
