/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* An OCI image layout (image-spec image-layout.md), as a directory or in a tar. */
#include "builder/source/archive.h"
#include "builder/source/source_private.h"

#include <inttypes.h>

enum { BLOB_PATH_SIZE = DIGEST_TEXT_SIZE + sizeof("blobs//") };

/* Either a directory or an archive. */
struct layout {
	struct source source;
	struct store store;
	char *name;
	struct asker *ask; /* of a directory */
	struct archive *archive;
	int *fd; /* of each layer's blob, in a directory */
};

static void layout_close(struct source *source)
{
	struct layout *layout = (struct layout *)source;

	for (size_t i = 0; layout->fd && i < source->count; i++)
		own_close(&layout->fd[i]);
	source_clear(source);
	archive_free(layout->archive);
	free(layout->fd);
	free(layout->name);
	free(layout);
}

/* The member @path: its descriptor (to be closed if @own), place and size. */
static int find(struct layout *layout, const char *path, int *fd, bool *own, uint64_t *offset,
		uint64_t *size, struct err *err)
{
	*own = !layout->archive;
	if (layout->archive) {
		*fd = archive_input(layout->archive)->fd;
		if (!archive_find(layout->archive, path, offset, size))
			return err_set(err, "'%s' has no '%s'", layout->name, path);
		return 0;
	}
	*offset = 0;
	*fd = ask_for_member(layout->ask, path, size, err);
	return *fd < 0 ? -1 : 0;
}

static int read_member(struct layout *layout, const char *path, char **text, size_t *out_size,
		       struct err *err)
{
	auto_stream *stream = NULL;
	auto_free char *data = NULL;
	uint64_t offset, size = 0;
	int fd;
	bool own;

	if (find(layout, path, &fd, &own, &offset, &size, err) < 0 ||
	    stream_open_file(fd, own, offset, size, path, &stream, err) < 0)
		return -1;
	if (size > DOCUMENT_MAX)
		return err_set(err, "'%s' of '%s' is %" PRIu64 " bytes long, more than %d", path,
			       layout->name, size, DOCUMENT_MAX);
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read '%s'", path);
	if (stream_fill(stream, data, (size_t)size, err) < 0)
		return -1;
	data[size] = 0;
	*out_size = (size_t)size;
	*text = take_ptr(&data);
	return 0;
}

static void blob_path(const struct digest *digest, char out[BLOB_PATH_SIZE])
{
	char algorithm[DIGEST_ALGORITHM_SIZE];

	(void)snprintf(out, BLOB_PATH_SIZE, "blobs/%s/%s", digest_algorithm(digest, algorithm),
		       digest_hex(digest));
}

static int layout_document(struct store *store, const struct descriptor *what, char **text,
			   size_t *size, struct err *err)
{
	struct layout *layout = (struct layout *)((char *)store - offsetof(struct layout, store));
	auto_free char *data = NULL;
	struct digest digest;
	char path[BLOB_PATH_SIZE];

	blob_path(&what->digest, path);
	if (read_member(layout, path, &data, size, err) < 0 ||
	    digest_of_like(&what->digest, data, *size, &digest, err) < 0)
		return -1;
	if (!digest_is(&what->digest, &digest))
		return err_set(err, "'%s' of '%s' does not match its digest", path, layout->name);
	if (*size != what->size)
		return err_set(err, "'%s' of '%s' is %zu bytes long, its descriptor says %" PRIu64,
			       path, layout->name, *size, what->size);
	*text = take_ptr(&data);
	return 0;
}

static int layout_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			     uint64_t *offset, struct err *err)
{
	struct layout *layout = (struct layout *)source;
	uint64_t size;
	char path[BLOB_PATH_SIZE];
	bool own;

	blob_path(&source->layer[index].blob, path);
	if (find(layout, path, fd, &own, offset, &size, err) < 0)
		return err_aim(err, "%s", source->layer[index].name);
	if (own)
		layout->fd[index] = *fd;
	return stream_open_file(*fd, false, *offset, size, source->layer[index].name, out, err);
}

/* Many layers, few descriptors. */
static bool layout_close_layer(struct source *source, size_t index, bool good)
{
	struct layout *layout = (struct layout *)source;

	if (good && layer_keeps_file(&source->layer[index]))
		return false;
	own_close(&layout->fd[index]);
	layout->fd[index] = -1;
	return false;
}

static int check_version(struct layout *layout, struct err *err)
{
	auto_free char *text = NULL;
	size_t size;

	if (read_member(layout, "oci-layout", &text, &size, err) < 0)
		return err_aim(err, "'%s' is no OCI layout", layout->name);
	return 0;
}

static int open_layout(struct layout *layout, const char *tag, const struct source_options *options,
		       struct source **out, struct err *err)
{
	auto_free char *index = NULL;
	size_t size;

	layout->source.open_layer = layout_open_layer;
	layout->source.close_layer = layout_close_layer;
	layout->source.close = layout_close;
	layout->store = (struct store){layout_document, layout->name, true};
	if (check_version(layout, err) < 0 ||
	    read_member(layout, "index.json", &index, &size, err) < 0 ||
	    source_read_documents(&layout->source, &layout->store, index, size, NULL, tag,
				  &options->platform, err) < 0)
		return -1;
	layout->fd = malloc((layout->source.count + 1) * sizeof(int));
	if (!layout->fd)
		return err_sys(err, "cannot read '%s'", layout->name);
	for (size_t i = 0; i < layout->source.count; i++)
		layout->fd[i] = -1;
	*out = &layout->source;
	return 0;
}

static struct layout *new_layout(const char *name)
{
	struct layout *layout = calloc(1, sizeof(*layout));

	if (!layout)
		return NULL;
	layout->source.close = layout_close;
	layout->name = strdup(name);
	if (layout->name)
		return layout;
	free(layout);
	return NULL;
}

int source_from_layout(struct asker *ask, const char *name, const char *tag,
		       const struct source_options *options, struct source **out, struct err *err)
{
	struct layout *layout = new_layout(name);

	if (!layout)
		return err_code(err, ENOMEM, "cannot open '%s'", name);
	layout->ask = ask;
	if (open_layout(layout, tag, options, out, err) == 0)
		return 0;
	layout_close(&layout->source);
	return -1;
}

int source_from_oci_archive(struct archive *archive, const char *tag,
			    const struct source_options *options, struct source **out,
			    struct err *err)
{
	struct layout *layout = new_layout(archive_input(archive)->name);

	if (!layout) {
		archive_free(archive);
		return err_code(err, ENOMEM, "cannot read an archive");
	}
	layout->archive = archive;
	if (open_layout(layout, tag, options, out, err) == 0)
		return 0;
	layout_close(&layout->source);
	return -1;
}
