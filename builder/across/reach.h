/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * reach.h - what is open of a source before a byte of it is taken apart.
 *
 * The half of opening a source that follows names: paths of the host, standard input, an engine's
 * store, a reference. The other half (source.h) is done in the cage, with what is open then.
 * A directory of files is read outside: its names come from the kernel, and its files are
 * packed as they are; nothing of it is parsed.
 */
#ifndef FIRN_BUILDER_ACROSS_REACH_H
#define FIRN_BUILDER_ACROSS_REACH_H

#include "builder/fetch/reference.h"
#include "builder/source/input.h"
#include "builder/source/tool.h"
#include "lib/conf/conf.h"

enum reach_kind {
	REACH_FILE,    /* told by what is in it */
	REACH_ARCHIVE, /* the same, but no image */
	REACH_OCI,     /* oci-archive: */
	REACH_DOCKER,  /* docker-archive: */
	REACH_IMAGE,   /* image: */
	REACH_LAYOUT,  /* a directory that is an OCI layout */
	REACH_REGISTRY,
	REACH_ROOT, /* a directory of files */
};

struct reach {
	enum reach_kind kind;
	char *name;		     /* for messages: a path, "HOST/NAME:TAG" */
	char *tag;		     /* behind the path, which of several images; or NULL */
	struct input *input;	     /* of the first five kinds */
	int folder;		     /* of a directory; -1 */
	struct reference *reference; /* of a registry's image */
};

struct reach_options {
	const struct conf *conf;
	const struct limits *limits;
	struct tool *tool; /* that was started for this source, see tool.h; NULL: none was */
};

/* Open @name ("docker://...", "oci:...", "dir:...", a path). */
int reach_open(const char *name, const struct reach_options *options, struct reach **out,
	       struct err *err);
void reach_free(struct reach *reach);
void reach_freep(struct reach **reach);
#define auto_reach CLEANUP(reach_freep) struct reach

/*
 * folder.c: the directory @path, as a root file system, or as what it is. Parts of an image must
 * not be taken for the files of one.
 */
int reach_root(struct reach *reach, const char *path, bool require_cage, struct err *err);
int reach_folder(struct reach *reach, const char *path, bool require_cage, struct err *err);
/* Whether @path is a directory with an OCI layout. */
bool folder_is_layout(const char *path);

#endif
