/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * source.h - where an image comes from.
 *
 * Every kind of source ends in the same two things: layers to be read in
 * parallel and merged, or files to be put into the tree at once; and, for
 * containers' images, the configuration, verbatim. Each kind has a file of its own;
 * what a name means, and what is open of it, is said before (builder/across/reach.h).
 */
#ifndef FIRN_BUILDER_SOURCE_SOURCE_H
#define FIRN_BUILDER_SOURCE_SOURCE_H

#include "builder/across/ask.h"
#include "builder/across/reach.h"
#include "builder/source/manifest.h"
#include "builder/tar/layer.h"
#include "lib/image/image.h"
#include "lib/image/oci.h"

/* A file that is left out, where it is found; ino 0: none. */
struct source_own {
	dev_t dev;
	ino_t ino;
};
enum { SOURCE_OWN_FILES = 2 };

/* What all kinds are told; all of it is borrowed, and outlives the source. */
struct source_options {
	struct platform platform;
	struct limits limits;
	struct asker *ask; /* for what is not open; NULL: of a source that needs nothing */
	bool exact;        /* of an image: all attributes, not only those that a build keeps, and
			      nothing that other readers would show otherwise; to verify it */
	struct source_own own[SOURCE_OWN_FILES]; /* of a directory: the image that is made */
};

/* What a registry's image is called and consists of there: not part of its bytes, see origin.h. */
struct origin {
	char *reference; /* "docker://host/name@sha256:..."; NULL for what cannot be fetched again
			  */
	char *tag;
	struct digest index, manifest, config;
};

/*
 * A source that is open. The kinds have it as the first member of their own struct, and fill it;
 * the builder reads it, and calls the functions in it: open_layer() and close_layer() for each
 * layer, or fill() once, then close().
 */
struct source {
	/* The OCI configuration, verbatim, with a NUL behind; NULL: none. */
	char *config;
	size_t config_size;
	struct digest config_digest;
	struct origin origin;

	struct layer *layer; /* lowest first; NULL with fill */
	size_t count;

	/*
	 * The bytes of layer @index, from any thread. @fd gets the descriptor (the source's)
	 * and @offset the place if they stand in a file as they are, else -1.
	 */
	int (*open_layer)(struct source *source, size_t index, struct stream **out, int *fd,
			  uint64_t *offset, struct err *err);
	/* The layer was read and its sums are right (@good), or it failed; then whether to read it
	 * once more gives other bytes. May be NULL. */
	bool (*close_layer)(struct source *source, size_t index, bool good);
	/* Sources without layers: everything into the empty tree. Its data stays the source's. */
	int (*fill)(struct source *source, struct tree *tree, struct err *err);
	void (*close)(struct source *source);
};

/*
 * Find out what @reach, borrowed but for what it has open, is, and read the documents that say what
 * the image consists of, and no layer. Opens nothing, for it is done in the cage; what it needs
 * beside, it asks for. Returns 0 and a new @out, or -1 with @err.
 */
int source_open(struct reach *reach, const struct source_options *options, struct source **out,
		struct err *err);
void source_close(struct source *source);
void source_closep(struct source **source);
#define auto_source CLEANUP(source_closep) struct source

/* The files in @image, taken over in any case; @name is for messages. Opens nothing. */
int source_from_image(struct image *image, const char *name, const struct source_options *options,
		      struct source **out, struct err *err);

/*
 * An image of another platform, or one for later processors only: an error if the user asked for
 * another one, else a warning. One that does not say its platform is taken. @listed is what an
 * index says of it, whose variant goes before the configuration's; NULL or empty: nothing. @name is
 * for messages.
 */
int source_check_platform(const struct oci_config *config, const struct platform *listed,
			  const struct platform *wanted, const char *name, struct err *err);

/*
 * For sources that are a heap of documents and blobs: from the top document to
 * the configuration and the layers. @store gives them by digest.
 */
struct store {
	/* The document @what, at most DOCUMENT_MAX bytes, its digest checked. */
	int (*document)(struct store *store, const struct descriptor *what, char **text,
			size_t *size, struct err *err);
	const char *name; /* for messages */
	bool is_local;	  /* documents cost nothing: those of an index may be looked at to find its
			     images */
};
/*
 * From the document @top (@size bytes, with the @media_type that came with it, or NULL) down: of
 * an index the image that @tag and @platform mean, at most three indexes deep, then its manifest,
 * whose configuration and layers @source gets. Returns 0, or -1 with @err.
 */
int source_read_documents(struct source *source, struct store *store, const char *top, size_t size,
			  const char *media_type, const char *tag, const struct platform *platform,
			  struct err *err);
/* Make room for @count layers; and name one, for messages, by its number and digest. */
int source_set_layers(struct source *source, size_t count, struct err *err);
void source_name_layer(struct source *source, size_t index);
/* For the kinds' close functions: what source.h's fields own. */
void source_clear(struct source *source);

#endif
