/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* manifest.json of docker save's archives: which image, and the names of its parts. */
#include "builder/source/choice.h"

#include <jansson.h>

enum { IMAGES_MAX = 4096, NAMES_MAX = 1 << 16 /* of all images together */ };

/* All images of the table; names are those of @json. */
struct name_table {
	json_t *json;
	size_t count;
	struct choice *choice;
	const char **name; /* of all, one after the other, each ending with NULL */
	struct digest *id;
};

static void table_clear(struct name_table *table)
{
	json_decref(table->json);
	free(table->choice);
	free(table->name);
	free(table->id);
}

/* "<digits>.json" and "blobs/sha256/<digits>" are an image's digest; other names are it, too, if
 * need be. */
static const char *id_of(const char *config, struct digest *digest)
{
	const char *slash = strrchr(config, '/'), *name = slash ? slash + 1 : config;
	char text[DIGEST_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%s%.*s",
		       strncmp(name, "sha256:", 7) == 0 ? "" : "sha256:", (int)strcspn(name, "."),
		       name);
	return digest_take(digest, text) == 0 ? digest->text : config;
}

static size_t count_names(const json_t *json)
{
	size_t names = 0;

	for (size_t i = 0; i < json_array_size(json); i++)
		names += json_array_size(json_object_get(json_array_get(json, i), "RepoTags")) + 1;
	return names;
}

static void fill_table(struct name_table *table)
{
	const char **at = table->name;

	for (size_t i = 0; i < table->count; i++) {
		const json_t *entry = json_array_get(table->json, i),
			     *names = json_object_get(entry, "RepoTags");
		const char *config = json_string_value(json_object_get(entry, "Config"));

		table->choice[i] =
			(struct choice){at, id_of(config ? config : "", &table->id[i]), true};
		for (size_t j = 0; j < json_array_size(names); j++)
			if (json_is_string(json_array_get(names, j)))
				*at++ = json_string_value(json_array_get(names, j));
		*at++ = NULL;
	}
}

static int read_table(const char *text, size_t size, struct name_table *table, struct err *err)
{
	json_error_t error;
	size_t names;

	if (size > DOCUMENT_MAX)
		return err_set(err, "manifest.json is %zu bytes long, more than %d", size,
			       DOCUMENT_MAX);
	table->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!table->json)
		return err_set(err, "manifest.json is no valid JSON: line %d: %s", error.line,
			       error.text);
	table->count = json_array_size(table->json);
	names = count_names(table->json);
	if (table->count > IMAGES_MAX || names > NAMES_MAX)
		return err_set(err,
			       "manifest.json has %zu images with %zu names, more than %d and %d",
			       table->count, names - table->count, IMAGES_MAX, NAMES_MAX);
	table->choice = calloc(table->count + 1, sizeof(*table->choice));
	table->name = calloc(names + 1, sizeof(*table->name));
	table->id = calloc(table->count + 1, sizeof(*table->id));
	if (!table->choice || !table->name || !table->id)
		return err_sys(err, "cannot read manifest.json");
	fill_table(table);
	return 0;
}

static int take_docker_entry(const json_t *json, struct docker_entry *out, struct err *err)
{
	const char *config = json_string_value(json_object_get(json, "Config"));
	const json_t *layers = json_object_get(json, "Layers");
	size_t count = json_array_size(layers);

	if (!config || !json_is_array(layers) || count > LAYERS_MAX)
		return err_set(err, "manifest.json names no configuration and layers");
	out->config = strdup(config);
	out->layer = calloc(count + 1, sizeof(*out->layer));
	if (!out->config || !out->layer)
		return err_sys(err, "cannot read manifest.json");
	for (; out->count < count; out->count++) {
		const char *name = json_string_value(json_array_get(layers, out->count));

		if (!name)
			return err_set(err, "manifest.json's layer %zu has no name",
				       out->count + 1);
		out->layer[out->count] = strdup(name);
		if (!out->layer[out->count])
			return err_sys(err, "cannot read manifest.json");
	}
	return 0;
}

static int choose(struct name_table *table, const char *tag, const char *name,
		  struct docker_entry *out, struct err *err)
{
	if (table->count == 0)
		return err_set(err, "'%s' has no image", name);
	if ((tag && choice_by_name(table->choice, table->count, tag, name, err) < 0) ||
	    choice_is_one(table->choice, table->count, tag, name, err) < 0)
		return -1;
	for (size_t i = 0; i < table->count; i++)
		if (table->choice[i].keep)
			return take_docker_entry(json_array_get(table->json, i), out, err);
	return err_set(err, "'%s' has no image", name);
}

int docker_manifest_parse(const char *text, size_t size, const char *tag, const char *name,
			  struct docker_entry **out, struct err *err)
{
	auto_docker_entry *entry = calloc(1, sizeof(*entry));
	struct name_table table = {0};
	int result = -1;

	if (!entry)
		return err_sys(err, "cannot read manifest.json");
	if (read_table(text, size, &table, err) == 0)
		result = choose(&table, tag, name, entry, err);
	table_clear(&table);
	if (result == 0)
		*out = take_ptr(&entry);
	return result;
}

bool docker_manifest_is(const char *text, size_t size)
{
	json_auto_t *json = size <= DOCUMENT_MAX ? json_loadb(text, size, 0, NULL) : NULL;
	const json_t *first = json_array_get(json, 0);

	return json_is_string(json_object_get(first, "Config")) &&
	       json_is_array(json_object_get(first, "Layers"));
}

void docker_entry_free(struct docker_entry *entry)
{
	if (!entry)
		return;
	for (size_t i = 0; i < entry->count; i++)
		free(entry->layer[i]);
	free(entry->layer);
	free(entry->config);
	free(entry);
}

void docker_entry_freep(struct docker_entry **entry)
{
	docker_entry_free(*entry);
}
