/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * registry.h - one repository of a registry (OCI distribution spec v1.1, "Pull").
 *
 * Asks a mirror first if the site has one. Logs in when it is asked to: Basic, or
 * Bearer with a token from the realm that the registry names. Tries again after
 * 429, 5xx and lost connections, and goes on where a blob broke off.
 * A registry may be used by several threads at once.
 */
#ifndef FIRN_BUILDER_FETCH_REGISTRY_H
#define FIRN_BUILDER_FETCH_REGISTRY_H

#include "builder/fetch/patience.h"
#include "builder/fetch/reference.h"
#include "lib/conf/conf.h"

#include <sys/types.h>

struct registry;

/* Both are borrowed and must outlive it. Nothing is asked yet. */
int registry_open(const struct reference *reference, const struct conf *conf, struct registry **out,
		  struct err *err);
void registry_close(struct registry *registry);
void registry_closep(struct registry **registry);
#define auto_registry CLEANUP(registry_closep) struct registry

/* A manifest or index as it came. */
struct document {
	char *text; /* with a NUL behind */
	size_t size;
	char media_type[256];
	struct digest digest; /* of the text */
};

/*
 * The manifest or index that @what, a tag or a digest, names. All kinds are accepted in
 * one request: a registry answers 404 to one that was not asked for. A digest that was
 * asked for is checked. @max bytes at most. Returns 0 and fills @out, which the caller
 * clears, or -1 with @err, whose code is ENOENT where the registry has no such image, and EACCES
 * where it gives it to others alone: answers, and not the lack of one.
 */
int registry_manifest(struct registry *registry, const char *what, size_t max,
		      const struct patience *patience, struct document *out, struct err *err);
void document_clear(struct document *document);

/*
 * A blob of @size bytes from @offset on. Its digest is the caller's to check; that it is
 * neither shorter nor longer than @size is checked here. @patience outlives it.
 */
struct registry_blob;
int registry_blob_open(struct registry *registry, const struct digest *digest, uint64_t size,
		       uint64_t offset, const struct patience *patience, struct registry_blob **out,
		       struct err *err);
ssize_t registry_blob_read(struct registry_blob *blob, void *buffer, size_t size, struct err *err);
/* Whether registry_blob_read() would begin to give bytes at once; known after @ms at the latest. */
bool registry_blob_has_more(struct registry_blob *blob, long long ms);
void registry_blob_close(struct registry_blob *blob);

#endif
