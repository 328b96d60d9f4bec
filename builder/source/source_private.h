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
/* source_oci.c: in the directory @folder, taken over; @name is for messages. */
int source_from_layout(int folder, const char *name, const char *tag,
		       const struct source_options *options, struct source **out, struct err *err);

/*
 * source_archive.c: whatever archive @input, taken over, is: docker's, an OCI layout, or a
 * root file system.
 */
int source_from_input(struct input *input, const char *tag, const struct source_options *options,
		      struct source **out, struct err *err);

/* "podman:NAME", "docker-daemon:NAME": by @options' tool, or one that is started for it. */
int source_open_engine(const char *source, const struct source_options *options,
		       struct source **out, struct err *err);

/* A file named by its path alone: an image, or an archive. */
int source_open_file(const char *path, const char *tag, const struct source_options *options,
		     struct source **out, struct err *err);

/* source_dir.c: the root file system in @folder, taken over. */
int source_from_root(int folder, const char *name, const struct source_options *options,
		     struct source **out, struct err *err);

/* source_folder.c: is @path a directory with an OCI layout? */
bool source_is_layout(const char *path);

/* source_folder.c: a directory named by its path alone: a root file system, or a layout. */
int source_open_folder(const char *path, const char *tag, const struct source_options *options,
		       struct source **out, struct err *err);

#endif
