/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Archives: docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], tar:FILE (one tar that
 * is the whole file system) and files and pipes that are told by what is in them.
 */
#include "builder/source/source_private.h"
#include "builder/source/tool.h"
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

/* A pipe is not: what came out of it is in a file without a name. */
static bool is_file_at(const struct input *input, const char *path)
{
	struct stat there, here;

	return stat(path, &there) == 0 && fstat(input->fd, &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* Say @why with the name that the user gave instead of @path. */
static int by_its_name(const struct err *why, const char *path, const char *name, struct err *err)
{
	const char *at = strstr(why->text, path);

	return at ? err_set(err, "%.*s%s%s", (int)(at - why->text), why->text, name,
			    at + strlen(path))
		  : err_set(err, "%s", why->text);
}

/* What is no archive: an image, or an error that says what it is instead. */
static int open_image(const char *path, const struct input *input, const char *tag,
		      const struct source_options *options, struct source **out, struct err *err)
{
	auto_source *image = NULL;
	struct err why;

	if (source_open_image(path, options, &image, &why) < 0)
		return by_its_name(&why, path, input->name, err);
	if (tag)
		return err_set(err, "'%s' is one image, in which nothing is called '%s'",
			       input->name, tag);
	*out = take_ptr(&image);
	return 0;
}

int source_open_file(const char *path, const char *tag, const struct source_options *options,
		     struct source **out, struct err *err)
{
	auto_input *input = NULL;
	auto_image *image = NULL;
	char by_fd[32];
	struct err ignored;

	if (input_open(path, &options->limits, &input, err) < 0)
		return -1;
	(void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", input->fd);
	if ((!tag && image_open(by_fd, options->conf->require_cage, &image, &ignored) == 0) ||
	    (input->size > 0 && may_be_images(input, err) < 0 && !claims_to_be_archive(input)))
		return open_image(is_file_at(input, path) ? path : by_fd, input, tag, options, out,
				  err);
	return source_from_input(take_ptr(&input), tag, options, out, err);
}

int source_open_tar(const char *name, const struct source_options *options, struct source **out,
		    struct err *err)
{
	const char *tag;
	auto_free char *path = input_split(name, &tag);
	struct input *input;

	if (!path)
		return err_sys(err, "cannot open '%s'", name);
	if (source_is_layout(path))
		return source_open_folder(path, tag, options, out, err);
	return input_open(path, &options->limits, &input, err) < 0
		       ? -1
		       : source_from_input(input, tag, options, out, err);
}

int source_open_engine(const char *source, const struct source_options *options,
		       struct source **out, struct err *err)
{
	auto_tool *own = NULL;
	struct tool *tool = options->tool;
	struct input *input;

	if (!tool && tool_start(source, &own, err) < 0)
		return -1;
	if (tool_read(tool ? tool : own, &options->limits, &input, err) < 0)
		return -1;
	return source_from_input(input, NULL, options, out, err);
}

/* What the user says it is; told where it is the other one. */
static int open_as(enum archive_kind kind, const char *name, const struct source_options *options,
		   struct source **out, struct err *err)
{
	const char *tag, *own = kind == ARCHIVE_OCI ? "oci-layout" : "manifest.json";
	auto_free char *path = input_split(name, &tag);
	auto_archive *archive = NULL;
	struct input *input;
	enum archive_kind found;

	if (!path)
		return err_sys(err, "cannot open '%s'", name);
	if (input_open(path, &options->limits, &input, err) < 0 ||
	    archive_open(input, &options->limits, &archive, err) < 0 ||
	    archive_check_whole(archive, err) < 0)
		return -1;
	found = kind_of(archive);
	if (found != kind && found != ARCHIVE_ROOT && !has(archive, own))
		return err_set(err, "'%s' is %s; use %s:%s", path,
			       found == ARCHIVE_OCI ? "an OCI layout in a tar" : "a docker archive",
			       found == ARCHIVE_OCI ? "oci-archive" : "docker-archive", name);
	return from_archive(take_ptr(&archive), kind, tag, options, out, err);
}

int source_open_docker_archive(const char *name, const struct source_options *options,
			       struct source **out, struct err *err)
{
	return open_as(ARCHIVE_DOCKER, name, options, out, err);
}

int source_open_oci_archive(const char *name, const struct source_options *options,
			    struct source **out, struct err *err)
{
	return open_as(ARCHIVE_OCI, name, options, out, err);
}
