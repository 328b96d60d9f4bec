/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Archives: docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], tar:FILE (one tar that
 * is the whole file system) and files and pipes that are told by what is in them.
 */
#include "builder/source/source_private.h"
#include "builder/tar/inflate.h"
#include "lib/file.h"
#include "lib/image/image.h"
#include "lib/log.h"

#include <sys/stat.h>

enum { TAR_MAGIC_AT = 257 };

enum archive_kind { ARCHIVE_ROOT, ARCHIVE_OCI, ARCHIVE_DOCKER };

/* A tar that is the file system: one layer. */
struct tar_source {
	struct source source;
	struct input *input;
};

static void tar_close(struct source *source)
{
	source_clear(source);
	input_free(((struct tar_source *)source)->input);
	free(source);
}

static int tar_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			  uint64_t *offset, struct err *err)
{
	const struct input *input = ((struct tar_source *)source)->input;

	(void)index;
	*fd = input->fd;
	*offset = 0;
	return stream_open_file(input->fd, false, 0, input->size, input->name, out, err);
}

static int from_tar(struct input *input, struct source **out, struct err *err)
{
	struct tar_source *tar = calloc(1, sizeof(*tar));
	struct layer *layer;

	if (!tar) {
		input_free(input);
		return err_code(err, ENOMEM, "cannot read an archive");
	}
	tar->input = input;
	tar->source.open_layer = tar_open_layer;
	tar->source.close = tar_close;
	if (source_set_layers(&tar->source, 1, err) < 0) {
		tar_close(&tar->source);
		return -1;
	}
	layer = &tar->source.layer[0];
	layer->size = input->size;
	layer->is_root = true;
	(void)snprintf(layer->name, sizeof(layer->name), "archive '%.100s'", input->name);
	*out = &tar->source;
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Could a file of this name be a part of an image's archive? A root file system's first one is not.
 */
static bool is_part(const char *path)
{
	static const char *const words[] = {"blobs", "oci-layout", "repositories", "VERSION",
					    "json"};
	static const char *const ends[] = {".json", ".tar", ".tar.gz", ".tgz", ".tar.zst"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *digits = strncmp(path, "sha256:", 7) == 0 ? path + 7 : path;

	if (strspn(digits, "0123456789abcdef") >= 32)
		return true;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(name, words[i]) == 0 ||
		    (strncmp(path, words[i], strlen(words[i])) == 0 &&
		     path[strlen(words[i])] == '/'))
			return true;
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}

/*
 * Whether it is worth listing all of a tar to see what it is: so its first file says, for
 * a root file system should be read once. 1, 0, or -1 for what is no tar.
 */
static int may_be_images(const struct input *input, struct err *err)
{
	auto_stream *stream = NULL;
	auto_tar *tar = NULL;
	struct tar_entry entry = {.type = TAR_DIRECTORY};
	char path[TREE_PATH_MAX + 1];
	int result = 1;

	if (stream_open_file(input->fd, false, 0, input->size, input->name, &stream, err) < 0 ||
	    inflate_open(stream, &stream, NULL, err) < 0) {
		stream = NULL; /* taken over in any case */
		return -1;
	}
	if (tar_open(stream, &tar, err) < 0)
		return -1;
	while (result > 0 && entry.type == TAR_DIRECTORY)
		result = tar_next(tar, &entry, err);
	if (result <= 0)
		return result;
	return path_of_entry(entry.path, path, err) == 0 && is_part(path);
}

static bool has(const struct archive *archive, const char *name)
{
	uint64_t offset, size;

	return archive_find(archive, name, &offset, &size);
}

/* Newer docker writes both tables; the layout has digests of everything. */
static enum archive_kind kind_of(const struct archive *archive)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t size;

	if (has(archive, "oci-layout") && has(archive, "index.json"))
		return ARCHIVE_OCI;
	if (archive_read(archive, "manifest.json", &text, &size, &ignored) == 0 &&
	    docker_manifest_is(text, size))
		return ARCHIVE_DOCKER;
	return ARCHIVE_ROOT;
}

static int from_archive(struct archive *archive, enum archive_kind kind, const char *tag,
			const struct source_options *options, struct source **out, struct err *err)
{
	return (kind == ARCHIVE_OCI ? source_from_oci_archive
				    : source_from_docker_archive)(archive, tag, options, out, err);
}

/* A root file system has no names for what is in it. */
static int no_tag(const struct input *input, const char *tag, struct err *err)
{
	return tag ? err_set(err, "'%s' is a root file system, in which nothing is called '%s'",
			     input->name, tag)
		   : 0;
}

int source_from_input(struct input *input, const char *tag, const struct source_options *options,
		      struct source **out, struct err *err)
{
	auto_input *own = input;
	auto_archive *archive = NULL;
	enum archive_kind kind;
	int result;

	if (input->size == 0)
		return err_set(err, "'%s' is empty", input->name);
	result = may_be_images(input, err);
	if (result < 0)
		return err_aim(err, "archive '%s'", input->name);
	if (result == 0)
		return no_tag(input, tag, err) < 0 ? -1 : from_tar(take_ptr(&own), out, err);
	if (archive_open(take_ptr(&own), &options->limits, &archive, err) < 0)
		return -1;
	kind = kind_of(archive);
	if ((kind != ARCHIVE_ROOT || has(archive, "oci-layout")) &&
	    archive_check_whole(archive, err) < 0)
		return -1;
	if (kind == ARCHIVE_ROOT)
		return no_tag(archive_input(archive), tag, err) < 0
			       ? -1
			       : from_tar(archive_take_input(archive), out, err);
	log_info("'%s' is %s", archive_input(archive)->name,
		 kind == ARCHIVE_OCI ? "an OCI layout in a tar" : "a docker archive");
	return from_archive(take_ptr(&archive), kind, tag, options, out, err);
}

/* Does it say what it is, so that it is an archive that cannot be read rather than none? */
static bool claims_to_be_archive(const struct input *input)
{
	char head[TAR_MAGIC_AT + 5];
	auto_stream *stream = NULL;
	const char *kind = "none";
	struct err ignored;

	if (file_read_at(input->fd, head, sizeof(head), 0) == sizeof(head) &&
	    memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0)
		return true;
	if (stream_open_file(input->fd, false, 0, input->size, input->name, &stream, &ignored) <
		    0 ||
	    inflate_open(stream, &stream, &kind, &ignored) < 0) {
		stream = NULL; /* taken over in any case */
		return true;
	}
	return strcmp(kind, "none") != 0;
}

/* The image that @input may be: of its own, but for the descriptor. What it is, is told in @err. */
static int look_for_image(const struct input *input, struct image **out, struct err *err)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image || !(image->path = strdup(input->name))) {
		free(image);
		return err_sys(err, "cannot read '%s'", input->name);
	}
	image->fd = input->fd;
	image->stat.st_mode = S_IFREG;
	image->stat.st_size = (off_t)input->size;
	if (image_look(image, IMAGE_IN_CAGE, err) == 0) {
		*out = image;
		return 0;
	}
	image->fd = -1;
	image_free(image);
	return -1;
}

int source_from_image_file(struct input *input, const struct source_options *options,
			   struct source **out, struct err *err)
{
	auto_input *own = input;
	struct image *image;

	if (look_for_image(own, &image, err) < 0)
		return -1;
	own->fd = -1; /* the image's now */
	return source_from_image(image, own->name, options, out, err);
}

int source_from_file(struct input *input, const char *tag, const struct source_options *options,
		     struct source **out, struct err *err)
{
	auto_input *own = input;
	struct image *image = NULL;
	struct err why;

	if (look_for_image(own, &image, &why) < 0 &&
	    (own->size == 0 || may_be_images(own, err) >= 0 || claims_to_be_archive(own)))
		return source_from_input(take_ptr(&own), tag, options, out, err);
	if (!image)
		return err_set(err, "%s", why.text);
	own->fd = -1; /* the image's now */
	if (tag) {
		image_free(image);
		return err_set(err, "'%s' is one image, in which nothing is called '%s'", own->name,
			       tag);
	}
	return source_from_image(image, own->name, options, out, err);
}

/* What the user says it is; told where it is the other one. */
int source_from_archive_of(enum reach_kind wanted, const struct reach *reach, struct input *input,
			   const struct source_options *options, struct source **out,
			   struct err *err)
{
	enum archive_kind found, kind = wanted == REACH_OCI ? ARCHIVE_OCI : ARCHIVE_DOCKER;
	const char *own = kind == ARCHIVE_OCI ? "oci-layout" : "manifest.json";
	auto_archive *archive = NULL;

	if (archive_open(input, &options->limits, &archive, err) < 0 ||
	    archive_check_whole(archive, err) < 0)
		return -1;
	found = kind_of(archive);
	if (found != kind && found != ARCHIVE_ROOT && !has(archive, own))
		return err_set(err, "'%s' is %s; use %s:%s%s%s", reach->name,
			       found == ARCHIVE_OCI ? "an OCI layout in a tar" : "a docker archive",
			       found == ARCHIVE_OCI ? "oci-archive" : "docker-archive", reach->name,
			       reach->tag ? ":" : "", reach->tag ? reach->tag : "");
	return from_archive(take_ptr(&archive), kind, reach->tag, options, out, err);
}
