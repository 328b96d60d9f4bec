/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * source_private.h - between source.c and the kinds of sources.
 *
 * What a kind's function takes over is the source's, or closed, in any case. They return 0 and a
 * new @out, or -1 with @err. @tag is what stands behind the name of an archive or layout to say
 * which image of several is meant (choice.h); NULL: the only one.
 */
#ifndef FIRN_BUILDER_SOURCE_SOURCE_PRIVATE_H
#define FIRN_BUILDER_SOURCE_SOURCE_PRIVATE_H

#include "builder/source/archive.h"
#include "builder/source/source.h"

/* source_docker.c, source_oci.c: the image that @tag (NULL: the only one) means in an archive,
 * taken over. */
int source_from_docker_archive(struct archive *archive, const char *tag,
			       const struct source_options *options, struct source **out,
			       struct err *err);
int source_from_oci_archive(struct archive *archive, const char *tag,
			    const struct source_options *options, struct source **out,
			    struct err *err);
/* source_oci.c: the layout whose files @ask gives; @name is for messages. */
int source_from_layout(struct asker *ask, const char *name, const char *tag,
		       const struct source_options *options, struct source **out, struct err *err);
/* source_registry.c: the image of @reference, called @name; @ask gives its documents and blobs. */
int source_from_registry(struct asker *ask, const struct reference *reference, const char *name,
			 const struct source_options *options, struct source **out,
			 struct err *err);

/*
 * source_archive.c: whatever archive @input, taken over, is: docker's, an OCI layout, or a
 * root file system. Or only what the user says it is.
 */
int source_from_input(struct input *input, const char *tag, const struct source_options *options,
		      struct source **out, struct err *err);
int source_from_archive_of(enum reach_kind kind, const struct reach *reach, struct input *input,
			   const struct source_options *options, struct source **out,
			   struct err *err);

/* Whatever file @input, taken over, is: an image, or an archive. Or an image alone. */
int source_from_file(struct input *input, const char *tag, const struct source_options *options,
		     struct source **out, struct err *err);
int source_from_image_file(struct input *input, const struct source_options *options,
			   struct source **out, struct err *err);

/* source_dir.c: the root file system in @folder, taken over. */
int source_from_root(int folder, const char *name, const struct source_options *options,
		     struct source **out, struct err *err);

#endif
