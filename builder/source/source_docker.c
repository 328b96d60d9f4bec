/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What docker save, podman save and skopeo write: a tar with manifest.json,
 * configurations and layers ("Combined Image JSON + Filesystem Changeset Format",
 * Docker image spec v1.2).
 */
#include "builder/source/archive.h"
#include "builder/source/source_private.h"
#include "lib/image/oci.h"

struct docker {
	struct source source;
	struct archive *archive;
	struct docker_entry *entry;
};

static const char *name_of(const struct docker *docker)
{
	return archive_input(docker->archive)->name;
}

static void docker_close(struct source *source)
{
	struct docker *docker = (struct docker *)source;

	source_clear(source);
	archive_free(docker->archive);
	docker_entry_free(docker->entry);
	free(docker);
}

static int docker_open_layer(struct source *source, size_t index, struct stream **out, int *fd,
			     uint64_t *offset, struct err *err)
{
	struct docker *docker = (struct docker *)source;
	uint64_t size;

	if (!archive_find(docker->archive, docker->entry->layer[index], offset, &size))
		return err_set(err, "%s: '%s' has no '%s'", source->layer[index].name,
			       name_of(docker), docker->entry->layer[index]);
	*fd = archive_input(docker->archive)->fd;
	return stream_open_file(*fd, false, *offset, size, source->layer[index].name, out, err);
}

static int take_layers(struct docker *docker, struct err *err)
{
	struct source *source = &docker->source;
	size_t count = docker->entry->count;
	struct digest *diff_id = calloc(count + 1, sizeof(*diff_id));
	int result;

	if (!diff_id)
		return err_sys(err, "cannot read '%s'", name_of(docker));
	result = config_diff_ids(source->config, source->config_size, diff_id, count, err);
	if (result == 0)
		result = source_set_layers(source, count, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		uint64_t offset;

		source->layer[i].diff_id = diff_id[i];
		(void)archive_find(docker->archive, docker->entry->layer[i], &offset,
				   &source->layer[i].size);
		source_name_layer(source, i);
	}
	free(diff_id);
	return result;
}

/* The digest in @tag was found in the configuration's name, which anybody could have given it. */
static int check_asked(const struct docker *docker, const char *tag, struct err *err)
{
	const struct source *source = &docker->source;
	struct digest asked;

	if (!tag || digest_take(&asked, tag) < 0 || digest_is(&asked, &source->config_digest))
		return 0;
	return err_set(err, "'%s' of '%s' does not match its digest: it is %s",
		       docker->entry->config, name_of(docker), source->config_digest.text);
}

static int open_docker(struct docker *docker, const char *tag, const struct source_options *options,
		       struct err *err)
{
	auto_free char *manifest = NULL;
	auto_oci_config *config = NULL;
	struct source *source = &docker->source;
	size_t size = 0;

	if (archive_read(docker->archive, "manifest.json", &manifest, &size, err) < 0 ||
	    docker_manifest_parse(manifest, size, tag, name_of(docker), &docker->entry, err) < 0 ||
	    archive_read(docker->archive, docker->entry->config, &source->config,
			 &source->config_size, err) < 0 ||
	    digest_of(source->config, source->config_size, &source->config_digest, err) < 0 ||
	    check_asked(docker, tag, err) < 0 ||
	    oci_config_parse(source->config, source->config_size, &config, err) < 0 ||
	    source_check_platform(config, NULL, &options->platform, name_of(docker), err) < 0)
		return -1;
	return take_layers(docker, err);
}

int source_from_docker_archive(struct archive *archive, const char *tag,
			       const struct source_options *options, struct source **out,
			       struct err *err)
{
	struct docker *docker = calloc(1, sizeof(*docker));

	if (!docker) {
		archive_free(archive);
		return err_code(err, ENOMEM, "cannot read an archive");
	}
	docker->archive = archive;
	docker->source.open_layer = docker_open_layer;
	docker->source.close = docker_close;
	if (open_docker(docker, tag, options, err) < 0) {
		docker_close(&docker->source);
		return -1;
	}
	*out = &docker->source;
	return 0;
}
