/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * docker-archive:FILE[:TAG], what docker save, podman save and skopeo write: a
 * tar with manifest.json, configurations and layers ("Combined Image JSON +
 * Filesystem Changeset Format", Docker image spec v1.2). And tar:FILE, one tar
 * that is the whole file system.
 */
#include "builder/archive.h"
#include "builder/source.h"
#include "lib/oci.h"

#include <fcntl.h>
#include <inttypes.h>

struct docker {
	struct source source;
	struct archive *archive;
	struct docker_entry *entry;
	int fd; /* tar: */
	uint64_t size;
	char *name;
};

static void docker_close(struct source *source)
{
	struct docker *docker = (struct docker *)source;

	source_clear(source);
	archive_free(docker->archive);
	docker_entry_free(docker->entry);
	own_close(&docker->fd);
	free(docker->name);
	free(docker);
}

static struct docker *new_docker(const char *name)
{
	struct docker *docker = calloc(1, sizeof(*docker));

	if (!docker)
		return NULL;
	docker->fd = -1;
	docker->source.close = docker_close;
	docker->name = strdup(name);
	if (docker->name)
		return docker;
	free(docker);
	return NULL;
}

static int read_member(struct docker *docker, const char *name, char **text, size_t *out_size,
		       struct err *err)
{
	auto_stream *stream = NULL;
	auto_free char *data = NULL;
	uint64_t offset, size;

	if (!archive_find(docker->archive, name, &offset, &size))
		return err_set(err, "'%s' has no '%s'", docker->name, name);
	if (size > DOCUMENT_MAX)
		return err_set(err, "'%s' of '%s' is %" PRIu64 " bytes long, more than %d", name,
			       docker->name, size, DOCUMENT_MAX);
	if (stream_open_file(archive_fd(docker->archive), false, offset, size, name, &stream, err) < 0)
		return -1;
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read '%s'", name);
	if (stream_fill(stream, data, (size_t)size, err) < 0)
		return -1;
	data[size] = 0;
	*out_size = (size_t)size;
	*text = take_ptr(&data);
	return 0;
}

static int docker_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			     uint64_t *offset, struct err *err)
{
	struct docker *docker = (struct docker *)source;
	uint64_t size;

	if (!archive_find(docker->archive, docker->entry->layer[index], offset, &size))
		return err_set(err, "%s: '%s' has no '%s'", source->layer[index].name, docker->name,
			       docker->entry->layer[index]);
	*fd = archive_fd(docker->archive);
	return stream_open_file(*fd, false, *offset, size, source->layer[index].name, out, err);
}

static int take_layers(struct docker *docker, struct err *err)
{
	struct source *source = &docker->source;
	size_t count = docker->entry->count;
	struct digest *diff_id = calloc(count + 1, sizeof(*diff_id));
	int result;

	if (!diff_id)
		return err_sys(err, "cannot read '%s'", docker->name);
	result = config_diff_ids(source->config, source->config_size, diff_id, count, err);
	if (result == 0)
		result = source_set_layers(source, count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		uint64_t offset;

		source->layer[i].diff_id = diff_id[i];
		(void)archive_find(docker->archive, docker->entry->layer[i], &offset, &source->layer[i].size);
		source_name_layer(source, i);
	}
	free(diff_id);
	return result;
}

static int open_docker(struct docker *docker, const char *tag, const struct source_options *options,
		       struct err *err)
{
	auto_free char *manifest = NULL;
	auto_oci_config *config = NULL;
	struct source *source = &docker->source;
	size_t size = 0;

	source->open_layer = docker_open_layer;
	if (archive_open(docker->name, &options->limits, &docker->archive, err) < 0 ||
	    read_member(docker, "manifest.json", &manifest, &size, err) < 0 ||
	    docker_manifest_parse(manifest, size, tag, docker->name, &docker->entry, err) < 0 ||
	    read_member(docker, docker->entry->config, &source->config, &source->config_size, err) < 0 ||
	    digest_of(source->config, source->config_size, &source->config_digest, err) < 0 ||
	    oci_config_parse(source->config, source->config_size, &config, err) < 0 ||
	    source_check_platform(config, &options->platform, docker->name, err) < 0)
		return -1;
	return take_layers(docker, err);
}

int source_open_docker_archive(const char *name, const struct source_options *options,
			       struct source **out, struct err *err)
{
	struct docker *docker = new_docker(name);
	const char *tag = NULL;
	struct stat stat;

	if (!docker)
		return err_sys(err, "cannot open '%s'", name);
	if (lstat(name, &stat) < 0) { /* the tag of an image may hold a slash and a colon itself */
		for (char *colon = docker->name; (colon = strchr(colon, ':')); *colon++ = ':') {
			*colon = 0;
			if (lstat(docker->name, &stat) == 0) {
				tag = name + (colon + 1 - docker->name);
				break;
			}
		}
	}
	if (open_docker(docker, tag, options, err) < 0) {
		docker_close(&docker->source);
		return -1;
	}
	*out = &docker->source;
	return 0;
}

static int tar_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			  uint64_t *offset, struct err *err)
{
	struct docker *docker = (struct docker *)source;

	(void)index;
	*fd = docker->fd;
	*offset = 0;
	return stream_open_file(docker->fd, false, 0, docker->size, docker->name, out, err);
}

int source_open_tar(const char *name, const struct source_options *options, struct source **out,
		    struct err *err)
{
	struct docker *docker = new_docker(name);
	struct stat stat;

	(void)options;
	if (!docker)
		return err_sys(err, "cannot open '%s'", name);
	docker->source.open_layer = tar_open_layer;
	docker->fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (docker->fd < 0 || fstat(docker->fd, &stat) < 0)
		(void)err_sys(err, "cannot open '%s'", name);
	else if (!S_ISREG(stat.st_mode))
		(void)err_set(err, "'%s' is no regular file", name);
	else if (source_set_layers(&docker->source, 1, err) == 0) {
		struct layer *layer = &docker->source.layer[0];

		docker->size = layer->size = (uint64_t)stat.st_size;
		(void)snprintf(layer->name, sizeof(layer->name), "archive '%.100s'", name);
		*out = &docker->source;
		return 0;
	}
	docker_close(&docker->source);
	return -1;
}
