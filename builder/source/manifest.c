/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/manifest.h"

#include "lib/image/oci.h"
#include "lib/words.h"

#include <inttypes.h>
#include <jansson.h>
#include <sys/utsname.h>

#define REF_NAME "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name" /* with ref.name no more than the tag */
#define DOCKER_REFERENCE "vnd.docker.reference.type" /* buildkit's attestations */
#define COSIGN "dev.cosignproject.cosign/"

static const struct {
	const char *type;
	enum manifest_kind kind;
} types[] = {
	{"application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE},
	{"application/vnd.oci.image.index.v1+json", MANIFEST_INDEX},
	{"application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE},
	{"application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX},
};

/* Layers: a tar, compressed or not. What the data really is tells its first bytes. */
static const char *const layer_types[] = {
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
	"application/vnd.docker.image.rootfs.diff.tar",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
};
static const char *const layer_endings[] = {"", "+gzip", "+zstd", ".gzip", ".zstd"};

static int load(const char *text, size_t size, const char *name, json_t **out, struct err *err)
{
	json_error_t error;

	if (size > DOCUMENT_MAX)
		return err_set(err, "%s is %zu bytes long, more than %d", name, size, DOCUMENT_MAX);
	*out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!*out)
		return err_set(err, "%s is no valid JSON: line %d: %s", name, error.line,
			       error.text);
	if (!json_is_object(*out) && !json_is_array(*out))
		return err_set(err, "%s is no JSON object", name);
	return 0;
}

static bool is_layer_type(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(layer_types); i++) {
		size_t len = strlen(layer_types[i]);

		if (strncmp(type, layer_types[i], len) != 0)
			continue;
		for (size_t j = 0; j < COUNT_OF(layer_endings); j++)
			if (strcmp(type + len, layer_endings[j]) == 0)
				return true;
	}
	return false;
}

static int type_kind(const char *type)
{
	for (size_t i = 0; type && i < COUNT_OF(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return (int)types[i].kind;
	return -1;
}

static const char *annotation(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json_object_get(json, "annotations"), key));
}

static bool is_config_type(const char *type)
{
	return strcmp(type, "application/vnd.oci.image.config.v1+json") == 0 ||
	       strcmp(type, "application/vnd.docker.container.image.v1+json") == 0;
}

/* What registries without a referrers' list have beside an image: "sha256-<digest>[.sig]". */
static bool is_referrers_name(const char *name)
{
	return name && strncmp(name, "sha256-", 7) == 0 &&
	       strspn(name + 7, "0123456789abcdef") >= 32;
}

/* Does an entry of an index say itself that it is no image: a signature, an attestation, an
 * artifact? */
static bool is_other(const json_t *json, const char *type)
{
	const char *artifact = json_string_value(json_object_get(json, "artifactType"));
	const char *kind = annotation(json, "kind");
	const char *os =
		json_string_value(json_object_get(json_object_get(json, "platform"), "os"));

	if ((type && type_kind(type) < 0) || (artifact && *artifact && !is_config_type(artifact)))
		return true;
	if (kind && strncmp(kind, COSIGN, strlen(COSIGN)) == 0 &&
	    strncmp(kind + strlen(COSIGN), "image", 5) != 0)
		return true;
	return annotation(json, DOCKER_REFERENCE) || (os && strcmp(os, "unknown") == 0) ||
	       is_referrers_name(annotation(json, REF_NAME));
}

static void take_word(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text ? text : "");
}

static int take_descriptor(const json_t *json, const char *what, struct descriptor *out,
			   struct err *err)
{
	const char *digest = json_string_value(json_object_get(json, "digest"));
	const char *type = json_string_value(json_object_get(json, "mediaType"));
	const char *name = annotation(json, REF_NAME),
		   *full_name = annotation(json, CONTAINERD_NAME);
	const json_t *size = json_object_get(json, "size"),
		     *platform = json_object_get(json, "platform");

	if (!json_is_object(json))
		return err_set(err, "%s is no descriptor", what);
	if (digest_take(&out->digest, digest) < 0)
		return err_set(err, "%s has no sha256 or sha512 digest but '%.80s'", what,
			       digest ? digest : "");
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, "%s has no size", what);
	out->size = (uint64_t)json_integer_value(size);
	out->media_type = strdup(type ? type : "");
	out->name = name ? strdup(name) : NULL;
	out->full_name = full_name ? strdup(full_name) : NULL;
	if (!out->media_type || (name && !out->name) || (full_name && !out->full_name))
		return err_sys(err, "cannot read a manifest");
	out->is_other = is_other(json, type);
	out->has_platform = json_is_object(platform);
	if (out->has_platform) {
		take_word(out->platform.os, sizeof(out->platform.os),
			  json_string_value(json_object_get(platform, "os")));
		take_word(out->platform.architecture, sizeof(out->platform.architecture),
			  json_string_value(json_object_get(platform, "architecture")));
		take_word(out->platform.variant, sizeof(out->platform.variant),
			  json_string_value(json_object_get(platform, "variant")));
	}
	return 0;
}

static int take_parts(const json_t *list, const char *what, size_t max, struct manifest *out,
		      struct err *err)
{
	size_t count = json_array_size(list);
	char one[64];

	if (!json_is_array(list))
		return err_set(err, "it has no list of %ss", what);
	if (count > max)
		return err_set(err, "it has %zu %ss, more than %zu", count, what, max);
	out->part = calloc(count + 1, sizeof(*out->part));
	if (!out->part)
		return err_sys(err, "cannot read a manifest");
	while (out->count < count) {
		struct descriptor *part = &out->part[out->count++];

		(void)snprintf(one, sizeof(one), "%s %zu", what, out->count);
		if (take_descriptor(json_array_get(list, out->count - 1), one, part, err) < 0)
			return -1;
		if (out->kind == MANIFEST_IMAGE && !is_layer_type(part->media_type))
			return err_set(err, "%s is of the unknown media type '%.80s'", one,
				       part->media_type);
	}
	return 0;
}

static int take_document(const json_t *json, const char *media_type, struct manifest *out,
			 struct err *err)
{
	bool index = json_object_get(json, "manifests"), image = json_object_get(json, "layers");
	const char *own_type = json_string_value(json_object_get(json, "mediaType"));

	if (json_integer_value(json_object_get(json, "schemaVersion")) == 1)
		return err_set(
			err,
			"it is of Docker's schema 1, which has no digests; push the image anew");
	if (json_integer_value(json_object_get(json, "schemaVersion")) != 2)
		return err_set(err, "it is no image manifest: schemaVersion is not 2");
	if (index && (image || json_object_get(json, "config")))
		return err_set(err, "it claims to be an index and a manifest at once");
	if (!index && !image)
		return err_set(err, "it is neither an index nor a manifest");
	out->kind = index ? MANIFEST_INDEX : MANIFEST_IMAGE;
	if ((own_type && type_kind(own_type) != (int)out->kind) ||
	    (media_type && type_kind(media_type) >= 0 && type_kind(media_type) != (int)out->kind))
		return err_set(err, "it is not what its media type says ('%.80s')",
			       own_type ? own_type : media_type);
	if (index)
		return take_parts(json_object_get(json, "manifests"), "manifest", ENTRIES_MAX, out,
				  err);
	if (take_descriptor(json_object_get(json, "config"), "the configuration", &out->config,
			    err) < 0)
		return -1;
	return take_parts(json_object_get(json, "layers"), "layer", LAYERS_MAX, out, err);
}

int manifest_parse(const char *text, size_t size, const char *media_type, const char *name,
		   struct manifest **out, struct err *err)
{
	auto_manifest *manifest = calloc(1, sizeof(*manifest));
	json_auto_t *json = NULL;

	if (!manifest)
		return err_sys(err, "cannot read a manifest");
	if (load(text, size, name, &json, err) < 0)
		return -1;
	if (take_document(json, media_type, manifest, err) < 0)
		return err_aim(err, "%s", name);
	*out = take_ptr(&manifest);
	return 0;
}

static void descriptor_clear(struct descriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->name);
	free(descriptor->full_name);
}

void manifest_keep(struct manifest *manifest, const bool *keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < manifest->count; i++) {
		if (keep[i])
			manifest->part[kept++] = manifest->part[i];
		else
			descriptor_clear(&manifest->part[i]);
	}
	manifest->count = kept;
}

bool manifest_is_other(const char *text, size_t size)
{
	json_auto_t *json = size <= DOCUMENT_MAX ? json_loadb(text, size, 0, NULL) : NULL;
	const char *artifact = json_string_value(json_object_get(json, "artifactType"));
	const char *config =
		json_string_value(json_object_get(json_object_get(json, "config"), "mediaType"));
	const json_t *list = json_object_get(json, "manifests");
	size_t others = 0;

	if ((artifact && *artifact && !is_config_type(artifact)) ||
	    (config && !is_config_type(config)))
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		others += is_other(one, json_string_value(json_object_get(one, "mediaType")));
	}
	return others > 0 && others == json_array_size(list);
}

void manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	descriptor_clear(&manifest->config);
	for (size_t i = 0; manifest->part && i < manifest->count; i++)
		descriptor_clear(&manifest->part[i]);
	free(manifest->part);
	free(manifest);
}

void manifest_freep(struct manifest **manifest)
{
	manifest_free(*manifest);
}

/* Go's names for what uname(2) calls machines. */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{"x86_64", "amd64", ""},    {"aarch64", "arm64", ""}, {"ppc64le", "ppc64le", ""},
	{"riscv64", "riscv64", ""}, {"s390x", "s390x", ""},   {"armv7l", "arm", "v7"},
	{"i686", "386", ""},	    {"armv8l", "arm", "v8"},  {"armv6l", "arm", "v6"},
};

static int this_machine(struct platform *out, struct err *err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(err, "cannot tell what machine this is");
	*out = (struct platform){.os = "linux"};
	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (strcmp(machines[i].machine, name.machine) == 0) {
			take_word(out->architecture, sizeof(out->architecture),
				  machines[i].architecture);
			take_word(out->variant, sizeof(out->variant), machines[i].variant);
			return 0;
		}
	return err_set(err, "no name for the machine '%s'; use --platform", name.machine);
}

int platform_parse(const char *text, struct platform *out, struct err *err)
{
	char *field[] = {out->os, out->architecture, out->variant};
	const char *at = text;
	size_t count = 0;

	if (!text)
		return this_machine(out, err);
	*out = (struct platform){.asked = true};
	for (; count < COUNT_OF(field); count++) {
		size_t len = strcspn(at, "/");

		if (len == 0 || len >= sizeof(out->os))
			break;
		memcpy(field[count], at, len);
		at += len;
		if (!*at)
			return count > 0
				       ? 0
				       : err_set(err, "'%s' is no platform like linux/amd64", text);
		at++;
	}
	return err_set(err, "'%s' is no platform like linux/amd64", text);
}

const char *platform_text(const struct platform *platform, char out[100])
{
	(void)snprintf(out, 100, "%s/%s%s%s", platform->os, platform->architecture,
		       *platform->variant ? "/" : "", platform->variant);
	return out;
}

/* What an architecture without a variant is: "" and "v8" mean the same for arm64. */
static const struct {
	const char *architecture;
	int level;
} plain_levels[] = {{"amd64", 100}, {"arm64", 800}, {"arm", 700}};

enum { LEVEL_UNKNOWN = 99999, RANK_EXCEEDS = 1000000 };

/* "v8.2" is 802, so that what runs on what can be told by comparing; other words cannot. */
static int level(const char *architecture, const char *variant)
{
	unsigned major, minor = 0;
	int len = 0;

	for (size_t i = 0; !*variant && i < COUNT_OF(plain_levels); i++)
		if (strcmp(plain_levels[i].architecture, architecture) == 0)
			return plain_levels[i].level;
	if (variant[strspn(variant, "v.0123456789")] || /* sscanf() would take signs and blanks */
	    sscanf(variant, "v%2u%n.%2u%n", &major, &len, &minor, &len) < 1 || variant[len])
		return *variant ? LEVEL_UNKNOWN : 0;
	return (int)(100 * major + minor);
}

int platform_rank(const struct platform *is, const struct platform *wanted)
{
	int has = level(is->architecture, is->variant);
	int wants = level(wanted->architecture, wanted->variant);

	if (strcmp(is->os, wanted->os) != 0 ||
	    strcmp(is->architecture, wanted->architecture) != 0)
		return -1;
	if (strcmp(is->variant, wanted->variant) == 0)
		return 0;
	if (wanted->asked && *wanted->variant) /* that one, though perhaps by its other name */
		return has == wants && has != LEVEL_UNKNOWN ? 1 : -1;
	return has <= wants ? 1 + wants - has : RANK_EXCEEDS + has;
}

bool platform_exceeds(const struct platform *is, const struct platform *wanted)
{
	return platform_rank(is, wanted) >= RANK_EXCEEDS;
}

static bool is_better(const struct descriptor *part, const struct descriptor *than,
		      const struct platform *wanted)
{
	int rank = part->has_platform ? platform_rank(&part->platform, wanted) : -1;

	return rank >= 0 && (!than || rank < platform_rank(&than->platform, wanted));
}

/* What there is instead, for the error: as many as fit. */
static void list_platforms(const struct manifest *index, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < index->count && used + 2 < size; i++) {
		const struct descriptor *part = &index->part[i];
		char text[100];
		int n;

		if (!part->has_platform || part->is_other)
			continue;
		n = snprintf(out + used, size - used, "%s%s", used ? ", " : "",
			     platform_text(&part->platform, text));
		used += n > 0 ? (size_t)n : 0;
	}
}

int manifest_choose(const struct manifest *index, const struct platform *platform, const char *name,
		    const struct descriptor **out, struct err *err)
{
	const struct descriptor *found = NULL;
	char choices[300], wanted[100];

	for (size_t i = 0; i < index->count; i++)
		if (is_better(&index->part[i], found, platform))
			found = &index->part[i];
	if (!found && index->count == 1 && !index->part[0].has_platform)
		found = &index->part[0];
	if (found) {
		*out = found;
		return 0;
	}
	list_platforms(index, choices, sizeof(choices));
	return err_set(err, "'%s' has no image for %s%s%s", name, platform_text(platform, wanted),
		       *choices ? "; there are: " : "", choices);
}

int config_diff_ids(const char *text, size_t size, struct digest *diff_id, size_t count,
		    struct err *err)
{
	auto_words list = {0};

	if (size > DOCUMENT_MAX)
		return err_set(err, "the configuration is %zu bytes long, more than %d", size,
			       DOCUMENT_MAX);
	if (oci_diff_ids(text, size, &list.item, err) < 0)
		return err_aim(err, "cannot read the configuration");
	if (!list.item)
		return err_set(
			err,
			"the configuration has no rootfs.diff_ids: it is no container image's");
	if (words_count(list.item) != count)
		return err_set(err, "the configuration is of %zu layers, the manifest of %zu",
			       words_count(list.item), count);
	for (size_t i = 0; i < count; i++)
		if (digest_take(&diff_id[i], list.item[i]) < 0)
			return err_set(err,
				       "the configuration's diff_id of layer %zu is no sha256 or "
				       "sha512 digest but '%.80s'",
				       i + 1, list.item[i]);
	return 0;
}
