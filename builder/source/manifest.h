/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * manifest.h - the documents that say what an image consists of.
 *
 * OCI image-spec manifest.md, image-index.md, descriptor.md, config.md; Docker
 * "Image Manifest V 2, Schema 2" with the same meaning under other media types.
 * A document that is both an index and a manifest, or not what its media type
 * says, is refused (CVE-2021-41190).
 *
 * All documents come from strangers. They are read by jansson, twice the same key
 * refused; counts and sizes are checked before anything is made of them, digests by
 * their grammar. Whether a document has the digest it was asked for by is checked by
 * who fetches it. An image's configuration is lib/image/oci.h's.
 */
#ifndef FIRN_BUILDER_SOURCE_MANIFEST_H
#define FIRN_BUILDER_SOURCE_MANIFEST_H

#include "builder/digest.h"

enum {
	DOCUMENT_MAX = 4 << 20, /* bytes of a manifest, index or configuration */
	LAYERS_MAX = 4096,      /* of one image */
	ENTRIES_MAX = 4096,     /* of one index */
};

/* What an image is made for. Longer words are cut: no platform has such. */
struct platform {
	char os[32], architecture[32], variant[32]; /* Go names; variant "" for any */
	bool asked; /* the user named it */
};

/*
 * "linux/arm64/v8" or "linux/arm64"; NULL: this machine's, by uname(2). Returns 0, or -1 with
 * @err. And back, into @out, which is returned.
 */
int platform_parse(const char *text, struct platform *out, struct err *err);
const char *platform_text(const struct platform *platform, char out[100]);

/*
 * How well an image for @is serves who wanted @wanted: 0 is best, -1 not at all. A variant that
 * was asked for must be that one ("" is amd64's v1, arm64's v8, arm's v7). Otherwise the variant of
 * this machine or the plain one comes first, then older ones from new to old. What exceeds that
 * (amd64/v3 where amd64 was wanted) comes last, lowest first: it may not run everywhere.
 */
int platform_rank(const struct platform *is, const struct platform *wanted);
bool platform_exceeds(const struct platform *is, const struct platform *wanted);

/* A reference to a document or blob (descriptor.md). All texts are owned by the manifest. */
struct descriptor {
	char *media_type;
	struct digest digest;
	uint64_t size;		  /* bytes, as it says; who fetches it holds it to that */
	char *name;               /* annotation org.opencontainers.image.ref.name, or NULL */
	char *full_name; /* containerd's, which has name for no more than the tag, or NULL */
	bool is_other; /* it says of itself that it is no image: signature, attestation, artifact */
	bool has_platform;
	struct platform platform;
};

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };
/* A manifest or an index, in one form. */
struct manifest {
	enum manifest_kind kind;
	struct descriptor config;  /* of an image */
	struct descriptor *part;   /* an image's layers, lowest first; an index' manifests */
	size_t count;
};

/*
 * Read @size bytes of @text, at most DOCUMENT_MAX. @media_type: what came with it; NULL when
 * nothing did. @name is for messages, as it is: "the manifest of 'NAME'". Returns 0 and a new @out,
 * or -1 with @err, "NAME: ..."; layers of a kind that is no tar are such an error.
 */
int manifest_parse(const char *text, size_t size, const char *media_type, const char *name,
		   struct manifest **out, struct err *err);
void manifest_free(struct manifest *manifest);
void manifest_freep(struct manifest **manifest);
#define auto_manifest CLEANUP(manifest_freep) struct manifest

/* Leave only those parts for which @keep, an array of manifest->count, is true. */
void manifest_keep(struct manifest *manifest, const bool *keep);

/* Is this document the manifest of an artifact, or an index of nothing else? */
bool manifest_is_other(const char *text, size_t size);

/*
 * The index' entry for @platform, the best by platform_rank(), of equals the first. An only
 * entry that names no platform fits any. The error lists what there is. Which image is meant
 * if there are several is choice.h's question.
 */
int manifest_choose(const struct manifest *index, const struct platform *platform, const char *name,
		    const struct descriptor **out, struct err *err);

/*
 * The configuration's rootfs.diff_ids: exactly @count of them, into @diff_id, lowest first.
 * Returns 0, or -1 with @err: there are none, or not so many, or one is no digest.
 */
int config_diff_ids(const char *text, size_t size, struct digest *diff_id, size_t count,
		    struct err *err);

/* docker-archive's manifest.json: the image that @tag means (choice.h); NULL: the only one. @name
 * is for messages. */
struct docker_entry {
	char *config; /* names of the archive's members */
	char **layer;
	size_t count;
};
int docker_manifest_parse(const char *text, size_t size, const char *tag, const char *name,
			  struct docker_entry **out, struct err *err);
/* Is this such a table, and no other JSON that is called manifest.json? */
bool docker_manifest_is(const char *text, size_t size);
void docker_entry_free(struct docker_entry *entry);
void docker_entry_freep(struct docker_entry **entry);
#define auto_docker_entry CLEANUP(docker_entry_freep) struct docker_entry

#endif
