/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]: an image of a registry, through the cache.
 */
#include "builder/fetch/cache.h"
#include "builder/fetch/registry.h"
#include "builder/fetch/shortname.h"
#include "builder/source/source.h"
#include "lib/file.h"
#include "lib/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

enum { ROUNDS_MAX = 8 }; /* of looking into the cache for one layer */

/* A layer's blob on its way. */
struct download {
	int part;    /* the cache's .part file, locked; -1: not through the cache */
	int cached;  /* the cache's blob; -1 */
	bool complete; /* every byte of the part is there */
};

struct remote {
	struct source source;
	struct store store;
	struct reference *reference;
	struct registry *registry;
	struct cache *cache; /* NULL: none */
	struct download *download;
	char *name; /* "HOST/NAME:TAG" */
};

/* First what the .part file holds, then what the registry has from there on, into the file as well.
 */
struct fetching {
	struct stream stream;
	struct remote *remote;
	struct download *download;
	struct digest digest;
	uint64_t size, at, held; /* held: bytes of the part when it was opened */
	struct registry_blob *blob;
};

/* A cache that is full or not writable costs a download, not the image. */
static void stop_caching(struct fetching *fetching)
{
	struct err err;

	(void)err_sys(&err, "cannot write to the cache");
	log_warning("%s; going on without it (firn cache gc makes room)", err.text);
	cache_discard(fetching->remote->cache, &fetching->digest);
	own_close(&fetching->download->part);
	fetching->download->part = -1;
}

static void keep_bytes(struct fetching *fetching, const char *data, size_t size)
{
	if (fetching->download->part >= 0 &&
	    file_write_at(fetching->download->part, data, size, fetching->at) < 0)
		stop_caching(fetching);
}

static ssize_t fetch_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct fetching *fetching = (struct fetching *)stream;
	ssize_t n;

	if (fetching->at < fetching->held) {
		if (size > fetching->held - fetching->at)
			size = (size_t)(fetching->held - fetching->at);
		n = file_read_at(fetching->download->part, buffer, size, fetching->at);
		if (n < 0)
			return err_sys(err, "cannot read the cache");
		if (n == 0)
			return err_set(err, "the cache is shorter than it was");
		fetching->at += (uint64_t)n;
		return n;
	}
	if (!fetching->blob &&
	    registry_blob_open(fetching->remote->registry, &fetching->digest, fetching->size,
			       fetching->at, &fetching->blob, err) < 0)
		return -1;
	n = registry_blob_read(fetching->blob, buffer, size, err);
	if (n <= 0) {
		fetching->download->complete = n == 0;
		return n;
	}
	keep_bytes(fetching, buffer, (size_t)n);
	fetching->at += (uint64_t)n;
	return n;
}

static void fetch_close(struct stream *stream)
{
	registry_blob_close(((struct fetching *)stream)->blob);
	free(stream);
}

static int open_fetch(struct remote *remote, struct download *download, const struct layer *layer,
		      uint64_t held, struct stream **out, struct err *err)
{
	struct fetching *fetching = calloc(1, sizeof(*fetching));

	if (!fetching)
		return err_sys(err, "cannot fetch %s", layer->name);
	fetching->stream = (struct stream){fetch_read, fetch_close};
	fetching->remote = remote;
	fetching->download = download;
	fetching->digest = layer->blob;
	fetching->size = layer->size;
	fetching->held = held;
	*out = &fetching->stream;
	return 0;
}

/* A blob of the cache whose size is wrong is none: it is thrown away. Returns 1, or 0 without one.
 */
static int open_cached(struct remote *remote, struct download *download, const struct layer *layer,
		       struct stream **out, struct err *err)
{
	struct stat stat;

	download->cached = cache_find(remote->cache, &layer->blob);
	if (download->cached < 0)
		return 0;
	if (fstat(download->cached, &stat) < 0 || (uint64_t)stat.st_size != layer->size) {
		own_close(&download->cached);
		download->cached = -1;
		return cache_drop(remote->cache, &layer->blob) < 0
			       ? err_sys(err, "a wrong '%s' stays in the cache", layer->blob.text)
			       : 0;
	}
	log_debug("%s: from the cache", layer->name);
	return stream_open_file(download->cached, false, 0, layer->size, layer->name, out, err) < 0
		       ? -1
		       : 1;
}

/*
 * The blob of the cache, or its part to go on with, @held bytes: 1 with @out, 0 with the part. Or
 * neither, and -1; then the cache is of no use for this layer. Two rounds do as long as nobody
 * damages the cache time and again.
 */
static int consult_cache(struct remote *remote, struct download *download,
			 const struct layer *layer, uint64_t *held, struct stream **out,
			 struct err *err)
{
	for (int rounds = 0; rounds < ROUNDS_MAX; rounds++) {
		int result = open_cached(remote, download, layer, out, err);

		if (result != 0)
			return result;
		result = cache_begin(remote->cache, &layer->blob, &download->part, held, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return err_set(err, "'%s' is wrong in the cache time and again", layer->blob.text);
}

static int remote_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			     uint64_t *offset, struct err *err)
{
	struct remote *remote = (struct remote *)source;
	struct layer *layer = &source->layer[index];
	struct download *download = &remote->download[index];
	uint64_t held = 0;
	int result = 0;

	*fd = -1;
	*offset = 0;
	if (remote->cache)
		result = consult_cache(remote, download, layer, &held, out, err);
	if (result > 0) {
		*fd = download->cached;
		return 0;
	}
	if (result < 0)
		log_warning("%s; going on without it", err->text);
	if (held > layer->size && ftruncate(download->part, 0) == 0)
		held = 0;
	if (held > 0)
		log_info("%s: %" PRIu64 " of %" PRIu64 " bytes are in the cache", layer->name, held,
			 layer->size);
	return open_fetch(remote, download, layer, held, out, err);
}

static void remote_close_layer(struct source *source, size_t index, bool good)
{
	struct remote *remote = (struct remote *)source;
	struct download *download = &remote->download[index];
	const struct digest *digest = &source->layer[index].blob;
	struct err err;

	if (download->part >= 0) {
		if (good && cache_commit(remote->cache, digest, &err) < 0)
			log_warning("%s: the layer will be fetched again next time", err.text);
		else if (!good && download->complete)
			cache_discard(remote->cache, digest);
		own_close(&download->part);
		download->part = -1;
	} else if (!good && download->cached >= 0) {
		(void)cache_drop(remote->cache, digest); /* next time it is fetched anew */
	}
	if (!good || !layer_keeps_file(&source->layer[index])) { /* many layers, few descriptors */
		own_close(&download->cached);
		download->cached = -1;
	}
}

static void remote_close(struct source *source)
{
	struct remote *remote = (struct remote *)source;

	for (size_t i = 0; remote->download && i < source->count; i++) {
		own_close(&remote->download[i].part);
		own_close(&remote->download[i].cached);
	}
	free(remote->download);
	source_clear(source);
	registry_close(remote->registry);
	reference_free(remote->reference);
	cache_close(remote->cache);
	free(remote->name);
	free(remote);
}

/* A document of the cache, if it is there and right. */
static int read_cached(struct remote *remote, const struct digest *wanted, char **text,
		       size_t *size, struct err *err)
{
	auto_fd fd = remote->cache ? cache_find(remote->cache, wanted) : -1;
	auto_free char *data = NULL;
	struct digest digest;
	struct err ignored;
	size_t data_size;

	if (fd < 0 || file_read_fd(fd, wanted->text, DOCUMENT_MAX, &data, &data_size, &ignored) < 0)
		return 0;
	if (digest_of_like(wanted, data, data_size, &digest, err) < 0)
		return -1;
	if (!digest_is(wanted, &digest)) {
		(void)cache_drop(remote->cache, wanted);
		return 0;
	}
	*size = data_size;
	*text = take_ptr(&data);
	return 1;
}

static void keep(struct remote *remote, const struct digest *digest, const char *text, size_t size)
{
	struct err err;

	if (remote->cache && cache_store(remote->cache, digest, text, size, &err) < 0)
		log_warning("%s", err.text);
}

/* A configuration is a blob, everything else a manifest. */
static int fetch_document(struct remote *remote, const struct descriptor *what, char **text,
			  size_t *size, struct err *err)
{
	struct registry_blob *blob = NULL;
	auto_free char *data = NULL;
	size_t done = 0;
	ssize_t n;

	if (registry_blob_open(remote->registry, &what->digest, what->size, 0, &blob, err) < 0)
		return err_aim(err, "the configuration of '%s'", remote->name);
	data = malloc((size_t)what->size + 1);
	do
		n = data ? registry_blob_read(blob, data + done, (size_t)what->size - done + 1, err)
			 : -1;
	while (n > 0 && (done += (size_t)n) <= what->size);
	registry_blob_close(blob);
	if (!data)
		return err_code(err, ENOMEM, "cannot fetch a configuration");
	if (n < 0)
		return err_aim(err, "the configuration of '%s'", remote->name);
	data[done] = 0;
	*size = done;
	*text = take_ptr(&data);
	return 0;
}

static bool is_manifest(const char *media_type)
{
	return strstr(media_type, ".manifest.") || strstr(media_type, ".index.");
}

static int remote_document(struct store *store, const struct descriptor *what, char **text,
			   size_t *size, struct err *err)
{
	struct remote *remote = (struct remote *)((char *)store - offsetof(struct remote, store));
	struct document document = {0};
	struct digest digest;
	int found = read_cached(remote, &what->digest, text, size, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (what->size > DOCUMENT_MAX)
		return err_set(err, "a document of '%s' is %" PRIu64 " bytes long, more than %d",
			       remote->name, what->size, DOCUMENT_MAX);
	if (is_manifest(what->media_type)) {
		if (registry_manifest(remote->registry, what->digest.text, DOCUMENT_MAX, &document,
				      err) < 0)
			return -1;
		*text = document.text;
		*size = document.size;
	} else if (fetch_document(remote, what, text, size, err) < 0) {
		return -1;
	}
	if (digest_of_like(&what->digest, *text, *size, &digest, err) < 0)
		return -1;
	if (*size != what->size || !digest_is(&what->digest, &digest)) {
		free(take_ptr(text));
		return err_set(err, "a document of '%s' does not match its digest %s", remote->name,
			       what->digest.text);
	}
	keep(remote, &what->digest, *text, *size);
	return 0;
}

static int open_top(struct remote *remote, struct document *top, struct err *err)
{
	const struct reference *reference = remote->reference;
	const char *what = reference->digest.text[0] ? reference->digest.text : reference->tag;
	int found = reference->digest.text[0]
			    ? read_cached(remote, &reference->digest, &top->text, &top->size, err)
			    : 0;

	if (found < 0)
		return -1;
	if (found > 0) {
		top->digest = reference->digest;
		return 0;
	}
	if (registry_manifest(remote->registry, what, DOCUMENT_MAX, top, err) < 0)
		return -1;
	keep(remote, &top->digest, top->text, top->size);
	return 0;
}

static int name_it(struct remote *remote, const struct document *top, struct err *err)
{
	struct origin *origin = &remote->source.origin;
	const struct reference *reference = remote->reference;

	if (origin->manifest.text[0])
		origin->index = top->digest;
	else
		origin->manifest = top->digest;
	if (reference->tag)
		origin->tag = strdup(reference->tag);
	if (asprintf(&origin->reference, "docker://%s/%s@%s", reference->host, reference->name,
		     top->digest.text) < 0)
		return err_sys(err, "cannot name the source");
	if (remote->cache &&
	    cache_name(remote->cache, remote->name, &top->digest, top->size,
		       *top->media_type	       ? top->media_type
		       : origin->index.text[0] ? "application/vnd.oci.image.index.v1+json"
					       : "application/vnd.oci.image.manifest.v1+json",
		       err) < 0)
		log_warning("%s", err->text);
	return 0;
}

static int open_remote(struct remote *remote, const char *name,
		       const struct source_options *options, struct err *err)
{
	struct source *source = &remote->source;
	struct document top = {0};
	auto_free char *said = NULL;
	int result;

	if (shortname_resolve(name, options->conf->default_registry, &remote->reference, &said,
			      err) < 0)
		return -1;
	if (said)
		log_note("%s", said);
	if (asprintf(&remote->name, "%s/%s%s%s", remote->reference->host, remote->reference->name,
		     remote->reference->tag ? ":" : "@",
		     remote->reference->tag ? remote->reference->tag
					    : remote->reference->digest.text) < 0)
		return err_sys(err, "cannot fetch '%s'", name);
	if (registry_open(remote->reference, options->conf, &remote->registry, err) < 0)
		return -1;
	if (options->cache && cache_open(options->cache, &remote->cache, err) < 0)
		log_warning("%s; going on without a cache", err->text);
	remote->store = (struct store){remote_document, remote->name, false};
	if (open_top(remote, &top, err) < 0)
		return -1;
	result = source_read_documents(source, &remote->store, top.text, top.size,
				       *top.media_type ? top.media_type : NULL, NULL,
				       &options->platform, err);
	if (result == 0)
		result = name_it(remote, &top, err);
	document_clear(&top);
	if (result < 0)
		return -1;
	remote->download = calloc(source->count + 1, sizeof(*remote->download));
	if (!remote->download)
		return err_sys(err, "cannot fetch '%s'", name);
	for (size_t i = 0; i < source->count; i++)
		remote->download[i] = (struct download){-1, -1, false};
	return 0;
}

int source_open_registry(const char *name, const struct source_options *options,
			 struct source **out, struct err *err)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return err_sys(err, "cannot fetch '%s'", name);
	remote->source.open_layer = remote_open_layer;
	remote->source.close_layer = remote_close_layer;
	remote->source.close = remote_close;
	if (open_remote(remote, name, options, err) < 0) {
		remote_close(&remote->source);
		return -1;
	}
	*out = &remote->source;
	return 0;
}
