/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * archive.h - a tar whose members are wanted by name: docker save's, an OCI
 * layout in one file.
 *
 * The archive is gone through once, for the places of its members. One that is
 * compressed as a whole is first unpacked to its input's room.
 */
#ifndef FIRN_BUILDER_SOURCE_ARCHIVE_H
#define FIRN_BUILDER_SOURCE_ARCHIVE_H

#include "builder/source/input.h"

struct archive;

/*
 * @input is taken over in any case. Reads all of it once. Returns 0 and a new @out, or -1 with
 * @err.
 */
int archive_open(struct input *input, const struct limits *limits, struct archive **out,
		 struct err *err);
void archive_free(struct archive *archive);
void archive_freep(struct archive **archive);
#define auto_archive CLEANUP(archive_freep) struct archive

/* Where members' bytes are, uncompressed; the archive's own. */
const struct input *archive_input(const struct archive *archive);

/* Whether all members are known, 0 or -1: not where there are more than images have parts. */
int archive_check_whole(const struct archive *archive, struct err *err);

/* The same, which becomes the caller's; of the archive only freeing it is left. */
struct input *archive_take_input(struct archive *archive);

/*
 * What stands in the file @name, at most DOCUMENT_MAX bytes and a NUL behind them, in a
 * new string. A file that is not there is an error.
 */
int archive_read(const struct archive *archive, const char *name, char **text, size_t *size,
		 struct err *err);

/* The place of the regular file @name; symlinks and hard links to it in the archive count as it. */
bool archive_find(const struct archive *archive, const char *name, uint64_t *offset,
		  uint64_t *size);

#endif
