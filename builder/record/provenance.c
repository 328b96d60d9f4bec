/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "builder/record/provenance.h"

#include <jansson.h>

/* Sorted and without blanks: the same facts are the same bytes. */
static char *dump(const json_t *json)
{
	return json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
}

static json_t *describe_codec(const struct codec *codec)
{
	json_t *json = json_pack("{s:s, s:i, s:s, s:s}", "name", codec->name, "block_size",
				 (int)codec->block_size, "library", codec_library_version(codec),
				 "libsquashfs", LIBSQUASHFS_VERSION);

	if (json && codec->level >= 0)
		(void)json_object_set_new(json, "level", json_integer(codec->level));
	return json;
}

static json_t *describe_layers(const struct source *source)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < source->count; i++)
		(void)json_array_append_new(list, json_string(source->layer[i].diff_id.text));
	return list;
}

int provenance_write(const struct source *source, const struct build_options *options,
		     const struct digest *tree, const struct digest *ch, char **text, size_t *size,
		     struct err *err)
{
	json_auto_t *json =
		json_pack("{s:i, s:s, s:s, s:o, s:b}", "format", IMAGE_FORMAT, "firn",
			  PACKAGE_VERSION, "tree", tree->text, "compression",
			  describe_codec(&options->codec), "all_root", (int)options->all_root);
	auto_free char *line = NULL;

	if (!json)
		return err_code(err, ENOMEM, "cannot write the provenance");
	if (source->count > 0)
		(void)json_object_set_new(json, "layers", describe_layers(source));
	if (source->config_digest.text[0])
		(void)json_object_set_new(json, "config", json_string(source->config_digest.text));
	if (ch->text[0])
		(void)json_object_set_new(json, "ch", json_string(ch->text));
	if (options->has_epoch)
		(void)json_object_set_new(json, "source_date_epoch", json_integer(options->epoch));
	line = dump(json);
	if (!line || asprintf(text, "%s\n", line) < 0)
		return err_code(err, ENOMEM, "cannot write the provenance");
	*size = strlen(*text);
	return 0;
}

static void copy_text(char *out, size_t size, const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	(void)snprintf(out, size, "%s", text ? text : "");
}

/* A digest that may be absent, but not anything else. */
static int take_digest(const json_t *json, const char *key, struct digest *out, struct err *err)
{
	const json_t *value = json_object_get(json, key);

	if (!value || digest_take(out, json_string_value(value)) == 0)
		return 0;
	return err_set(err, "the image's provenance cannot be read: '%s' is no digest", key);
}

int provenance_read(const char *text, size_t size, struct provenance *out, struct err *err)
{
	json_auto_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *codec = json_object_get(json, "compression");
	const json_t *level = json_object_get(codec, "level"),
		     *epoch = json_object_get(json, "source_date_epoch");
	json_int_t block_size = json_integer_value(json_object_get(codec, "block_size"));
	char name[16];

	*out = (struct provenance){0};
	if (!json || digest_take(&out->tree, json_string_value(json_object_get(json, "tree"))) < 0)
		return err_set(err, "the image's provenance cannot be read");
	if (take_digest(json, "config", &out->config, err) < 0 ||
	    take_digest(json, "ch", &out->ch, err) < 0)
		return -1;
	copy_text(name, sizeof(name), codec, "name");
	copy_text(out->firn, sizeof(out->firn), json, "firn");
	copy_text(out->library, sizeof(out->library), codec, "library");
	copy_text(out->libsquashfs, sizeof(out->libsquashfs), codec, "libsquashfs");
	if (json_is_integer(level))
		(void)snprintf(out->codec_text, sizeof(out->codec_text), "%s:%d", name,
			       (int)json_integer_value(level));
	else
		(void)snprintf(out->codec_text, sizeof(out->codec_text), "%s", name);
	if (codec_parse(out->codec_text, &out->options.codec, err) < 0)
		return err_aim(err, "the image's provenance");
	if (block_size < 4096 || block_size > 1 << 20 || (block_size & (block_size - 1)) != 0)
		return err_set(err,
			       "the image's provenance has a block size that squashfs cannot have");
	out->options.codec.block_size = (uint32_t)block_size;
	out->options.all_root = json_is_true(json_object_get(json, "all_root"));
	out->options.has_epoch = json_is_integer(epoch);
	out->options.epoch = (uint32_t)json_integer_value(epoch);
	out->layers = json_array_size(json_object_get(json, "layers"));
	out->format = (int)json_integer_value(json_object_get(json, "format"));
	return 0;
}

bool provenance_is_ours(const struct provenance *provenance)
{
	return provenance->format == IMAGE_FORMAT &&
	       strcmp(provenance->firn, PACKAGE_VERSION) == 0 &&
	       strcmp(provenance->library,
		      codec_library_version(&provenance->options.codec)) == 0 &&
	       strcmp(provenance->libsquashfs, LIBSQUASHFS_VERSION) == 0;
}

int provenance_write_origin(const struct source *source, const struct digest *image, char **text,
			    struct err *err)
{
	const struct origin *origin = &source->origin;
	json_t *layers = json_array();
	json_auto_t *json = NULL;

	*text = NULL;
	if (!origin->reference) {
		json_decref(layers);
		return 0;
	}
	for (size_t i = 0; layers && i < source->count; i++)
		(void)json_array_append_new(layers, json_pack("{s:s, s:I}", "digest",
							      source->layer[i].blob.text, "size",
							      (json_int_t)source->layer[i].size));
	json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "reference", origin->reference, "manifest",
			 origin->manifest.text, "config", origin->config.text, "image", image->text,
			 "layers", layers);
	if (json && origin->index.text[0])
		(void)json_object_set_new(json, "index", json_string(origin->index.text));
	if (json && origin->tag)
		(void)json_object_set_new(json, "tag", json_string(origin->tag));
	*text = json ? dump(json) : NULL;
	return *text ? 0 : err_code(err, ENOMEM, "cannot write the origin");
}

int provenance_check_layers(const char *text, size_t size, const char *config, size_t config_size,
			    struct err *err)
{
	json_auto_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(json, "layers");
	size_t count = json_array_size(list);
	auto_free struct digest *wanted = count > 0 && count <= LAYERS_MAX ?
						  calloc(count, sizeof(*wanted)) : NULL;

	if (!list || !config)
		return 0;
	if (!wanted)
		return err_set(err, "the image's provenance cannot be read: 'layers'");
	if (config_diff_ids(config, config_size, wanted, count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *layer = json_string_value(json_array_get(list, i));

		if (!layer || strcmp(layer, wanted[i].text) != 0)
			return err_set(
				err,
				"its provenance names another layer %zu than its configuration",
				i + 1);
	}
	return 0;
}

/* The digest behind a reference's '@' is that of what was fetched first: an index, if there was
 * one. */
static int check_reference(const json_t *json, const char *reference, struct err *err)
{
	const char *manifest = json_string_value(json_object_get(json, "manifest")),
		   *index = json_string_value(json_object_get(json, "index")),
		   *top = index ? index : manifest,
		   *at = reference ? strrchr(reference, '@') : NULL;
	struct digest digest;

	if ((json_object_get(json, "manifest") && digest_take(&digest, manifest) < 0) ||
	    (json_object_get(json, "index") && digest_take(&digest, index) < 0))
		return err_set(err, "the image's origin names a manifest or index by no digest");
	if (!reference || !top || (at && strcmp(at + 1, top) == 0))
		return 0;
	return err_set(err, "the image's origin names '%s', and %s %s", reference,
		       index ? "index" : "manifest", top);
}

static int check_fetched(const json_t *list, struct err *err)
{
	struct digest digest;
	const json_t *layer;
	size_t i;

	if (list && !json_is_array(list))
		return err_set(err, "the image's origin has layers that are no list");
	json_array_foreach(list, i, layer) {
		if (digest_take(&digest, json_string_value(json_object_get(layer, "digest"))) < 0 ||
		    json_integer_value(json_object_get(layer, "size")) < 0)
			return err_set(err, "the image's origin has a layer %zu without a digest",
				       i + 1);
	}
	return 0;
}

int provenance_read_origin(const char *text, size_t size, struct origin_claims *out,
			   struct err *err)
{
	json_auto_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const char *reference = json_string_value(json_object_get(json, "reference"));
	const char *manifest = json_string_value(json_object_get(json, "manifest"));
	struct digest digest;
	int result = 0;

	*out = (struct origin_claims){0};
	if (!json_is_object(json) ||
	    digest_take(&out->image, json_string_value(json_object_get(json, "image"))) < 0)
		return err_set(err, "the image's origin cannot be read");
	if (json_object_get(json, "config") &&
	    digest_take(&out->config, json_string_value(json_object_get(json, "config"))) < 0)
		return err_set(err, "the image's origin names a configuration by no digest");
	out->has_layers = json_object_get(json, "layers");
	out->layers = json_array_size(json_object_get(json, "layers"));
	if (check_reference(json, reference, err) < 0 ||
	    check_fetched(json_object_get(json, "layers"), err) < 0)
		return -1;
	if (reference && digest_take(&digest, manifest) == 0)
		result = asprintf(&out->reference, "%.*s@%s", (int)strcspn(reference, "@"),
				  reference, manifest);
	else if (reference)
		result = (out->reference = strdup(reference)) ? 0 : -1;
	return result < 0 ? err_sys(err, "cannot read the image's origin") : 0;
}
