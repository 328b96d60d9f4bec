/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * docker://HOST[:PORT]/NAME[:TAG|@DIGEST]: an image of a registry. Its bytes come from the other
 * side (builder/across/), which has the network and the cache.
 */
#include "builder/source/source_private.h"

struct remote {
	struct source source;
	struct store store;
	struct asker *ask;
	struct ask_blob **blob; /* of each layer that is being read; or NULL */
};

static int remote_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			     uint64_t *offset, struct err *err)
{
	struct remote *remote = (struct remote *)source;
	struct layer *layer = &source->layer[index];

	*offset = 0;
	if (ask_for_blob(remote->ask, &layer->blob, layer->size, layer->name, &remote->blob[index],
			 out, fd, err) < 0)
		return -1;
	layer->is_summed = *fd < 0;
	return 0;
}

/* Many layers, few descriptors: only what holds files as they are stays open, to the end. */
static bool remote_close_layer(struct source *source, size_t index, bool good)
{
	struct remote *remote = (struct remote *)source;
	struct layer *layer = &source->layer[index];
	bool left = !good && layer->cancel && atomic_load(layer->cancel);

	return ask_blob_close(take_ptr(&remote->blob[index]),
			      good   ? LINE_RIGHT
			      : left ? LINE_LEFT
				     : LINE_WRONG,
			      good && layer_keeps_file(layer));
}

static void remote_close(struct source *source)
{
	struct remote *remote = (struct remote *)source;

	source_clear(source);
	free(remote->blob);
	free(remote);
}

static bool is_manifest(const char *media_type)
{
	return strstr(media_type, ".manifest.") || strstr(media_type, ".index.");
}

static int remote_document(struct store *store, const struct descriptor *what, char **text,
			   size_t *size, struct err *err)
{
	struct remote *remote = (struct remote *)((char *)store - offsetof(struct remote, store));

	return ask_for_document(remote->ask, &what->digest, what->size,
				is_manifest(what->media_type), DOCUMENT_MAX, text, size, err);
}

static int name_it(struct remote *remote, const struct reference *reference,
		   const struct ask_document *top, struct err *err)
{
	struct origin *origin = &remote->source.origin;
	uint64_t size = 0;

	if (origin->manifest.text[0])
		origin->index = top->digest;
	else
		origin->manifest = top->digest;
	if (reference->tag)
		origin->tag = strdup(reference->tag);
	if (asprintf(&origin->reference, "docker://%s/%s@%s", reference->host, reference->name,
		     top->digest.text) < 0)
		return err_sys(err, "cannot name the source");
	for (size_t i = 0; i < remote->source.count; i++)
		size += remote->source.layer[i].size;
	return ask_to_name(remote->ask, origin->index.text[0], size, err);
}

static int read_documents(struct remote *remote, const struct reference *reference,
			  const struct source_options *options, struct err *err)
{
	struct ask_document top;
	int result;

	if (ask_top(remote->ask, DOCUMENT_MAX, &top, err) < 0)
		return -1;
	result = source_read_documents(&remote->source, &remote->store, top.text, top.size,
				       *top.media_type ? top.media_type : NULL, NULL,
				       &options->platform, err);
	free(top.text);
	return result < 0 ? -1 : name_it(remote, reference, &top, err);
}

int source_from_registry(struct asker *ask, const struct reference *reference, const char *name,
			 const struct source_options *options, struct source **out, struct err *err)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return err_sys(err, "cannot fetch '%s'", name);
	remote->ask = ask;
	remote->source.open_layer = remote_open_layer;
	remote->source.close_layer = remote_close_layer;
	remote->source.close = remote_close;
	remote->store = (struct store){remote_document, name, false};
	if (read_documents(remote, reference, options, err) < 0) {
		remote_close(&remote->source);
		return -1;
	}
	remote->blob = calloc(remote->source.count + 1, sizeof(*remote->blob));
	if (!remote->blob) {
		remote_close(&remote->source);
		return err_code(err, ENOMEM, "cannot fetch '%s'", name);
	}
	*out = &remote->source;
	return 0;
}
