/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/source.h"

#include "builder/source/choice.h"
#include "builder/source/source_private.h"
#include "lib/log.h"

enum { INDEX_DEPTH = 3, LOOKS_MAX = 256, LOOK_SIZE = 256 << 10 };

int source_open(struct reach *reach, const struct source_options *options, struct source **out,
		struct err *err)
{
	struct input *input = take_ptr(&reach->input); /* taken over below */

	switch (reach->kind) {
	case REACH_FILE:
		return source_from_file(input, reach->tag, options, out, err);
	case REACH_ARCHIVE:
		return source_from_input(input, reach->tag, options, out, err);
	case REACH_OCI:
	case REACH_DOCKER:
		return source_from_archive_of(reach->kind, reach, input, options, out, err);
	case REACH_IMAGE:
		return source_from_image_file(input, options, out, err);
	case REACH_LAYOUT:
		return source_from_layout(options->ask, reach->name, reach->tag, options, out, err);
	case REACH_REGISTRY:
		return source_from_registry(options->ask, reach->reference, reach->name, options,
					    out, err);
	case REACH_ROOT:
		break;
	}
	return source_from_root(take_fd(&reach->folder), reach->name, options, out, err);
}

void source_close(struct source *source)
{
	if (source)
		source->close(source);
}

void source_closep(struct source **source)
{
	source_close(*source);
}

void source_clear(struct source *source)
{
	for (size_t i = 0; i < source->count; i++)
		layer_clear(&source->layer[i]);
	free(source->layer);
	free(source->config);
	free(source->origin.reference);
	free(source->origin.tag);
}

int source_set_layers(struct source *source, size_t count, struct err *err)
{
	source->layer = calloc(count + 1, sizeof(*source->layer));
	if (!source->layer)
		return err_sys(err, "cannot read the layers");
	source->count = count;
	for (size_t i = 0; i < count; i++)
		source->layer[i].fd = -1;
	return 0;
}

void source_name_layer(struct source *source, size_t index)
{
	struct layer *layer = &source->layer[index];
	const char *digest = layer->blob.text[0] ? layer->blob.text : layer->diff_id.text;

	if (*digest)
		(void)snprintf(layer->name, sizeof(layer->name), "layer %zu (%.19s)", index + 1,
			       digest);
	else
		(void)snprintf(layer->name, sizeof(layer->name), "layer %zu", index + 1);
}

/* An image for later processors is taken where there is no other, but not without a word. */
static int check_variant(const char *variant, const struct platform *wanted, const char *name,
			 struct err *err)
{
	struct platform is = *wanted;
	char text[100], wanted_text[100];

	(void)snprintf(is.variant, sizeof(is.variant), "%s", variant);
	(void)platform_text(&is, text);
	(void)platform_text(wanted, wanted_text);
	if (platform_rank(&is, wanted) < 0)
		return err_set(err, "'%s' is for %s, not for %s", name, text, wanted_text);
	if (platform_exceeds(&is, wanted))
		log_warning("'%s' has nothing for %s but %s, which not all such machines can run",
			    name, wanted_text, text);
	return 0;
}

int source_check_platform(const struct oci_config *config, const struct platform *listed,
			  const struct platform *wanted, const char *name, struct err *err)
{
	const char *variant = listed && *listed->variant ? listed->variant : config->variant;
	char text[100];

	if (!config->os || !config->architecture ||
	    (strcmp(config->os, wanted->os) == 0 &&
	     strcmp(config->architecture, wanted->architecture) == 0))
		return variant && *variant ? check_variant(variant, wanted, name, err) : 0;
	if (wanted->asked)
		return err_set(err, "'%s' is for %s/%s, not for %s", name, config->os,
			       config->architecture, platform_text(wanted, text));
	log_warning("'%s' is for %s/%s, which this machine is not", name, config->os,
		    config->architecture);
	return 0;
}

static int take_config(struct source *source, struct store *store, const struct manifest *image,
		       const struct platform *listed, const struct platform *platform,
		       struct err *err)
{
	auto_oci_config *config = NULL;
	struct digest *diff_id;
	int result;

	if (store->document(store, &image->config, &source->config, &source->config_size, err) < 0)
		return -1;
	source->config_digest = source->origin.config = image->config.digest;
	if (source_set_layers(source, image->count, err) < 0)
		return -1;
	diff_id = calloc(image->count + 1, sizeof(*diff_id));
	if (!diff_id)
		return err_sys(err, "cannot read the configuration");
	result = config_diff_ids(source->config, source->config_size, diff_id, image->count, err);
	for (size_t i = 0; i < image->count && result == 0; i++) {
		struct layer *layer = &source->layer[i];

		layer->blob = image->part[i].digest;
		layer->size = image->part[i].size;
		layer->diff_id = diff_id[i];
		source_name_layer(source, i);
	}
	free(diff_id);
	if (result < 0 || oci_config_parse(source->config, source->config_size, &config, err) < 0)
		return -1;
	return source_check_platform(config, listed, platform, store->name, err);
}

/* Entries of an index that are looked at to tell images from artifacts. */
struct looker {
	struct store *store;
	int left;
};

/* What cannot be read may well be an image: of a platform that was not copied. */
static bool is_image(void *arg, const struct descriptor *what)
{
	struct looker *looker = arg;
	auto_free char *text = NULL;
	struct err ignored;
	size_t size;

	if (looker->left == 0 || what->size > LOOK_SIZE)
		return true;
	looker->left--;
	return looker->store->document(looker->store, what, &text, &size, &ignored) < 0 ||
	       !manifest_is_other(text, size);
}

/* @depth 0 of a layout lists images, all else lists what one image is made for. */
static int choose(struct manifest *index, int depth, struct store *store, const char *tag,
		  const struct platform *platform, struct looker *looker,
		  const struct descriptor **out, struct err *err)
{
	const char *wanted = depth == 0 ? tag : NULL;

	if (choice_narrow(index, wanted, platform, store->name, store->is_local ? is_image : NULL,
			  looker, err) < 0 ||
	    manifest_choose(index, platform, store->name, out, err) < 0)
		return -1;
	return depth == 0 && store->is_local ? choice_is_only(index, *out, wanted, store->name, err)
					     : 0;
}

int source_read_documents(struct source *source, struct store *store, const char *top, size_t size,
			  const char *media_type, const char *tag, const struct platform *platform,
			  struct err *err)
{
	struct looker looker = {store, LOOKS_MAX};
	auto_manifest *manifest = NULL;
	struct platform listed = {.os = ""};
	char what[160];

	(void)snprintf(what, sizeof(what), "%s of '%.120s'",
		       store->is_local ? "index.json" : "the manifest", store->name);
	if (manifest_parse(top, size, media_type, what, &manifest, err) < 0)
		return -1;
	(void)snprintf(what, sizeof(what), "the manifest of '%.120s'", store->name);
	for (int depth = 0; manifest->kind == MANIFEST_INDEX; depth++) {
		const struct descriptor *chosen;
		auto_manifest *next = NULL;
		auto_free char *next_text = NULL;

		if (depth == INDEX_DEPTH)
			return err_set(err, "'%s' is an index of indexes of indexes", store->name);
		if (choose(manifest, depth, store, tag, platform, &looker, &chosen, err) < 0 ||
		    store->document(store, chosen, &next_text, &size, err) < 0 ||
		    manifest_parse(next_text, size, chosen->media_type, what, &next, err) < 0)
			return -1;
		if (chosen->has_platform)
			listed = chosen->platform;
		source->origin.manifest = chosen->digest;
		manifest_free(manifest);
		manifest = take_ptr(&next);
	}
	return take_config(source, store, manifest, &listed, platform, err);
}
