/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * archive.h - a tar whose members are wanted by name: docker save's, an OCI
 * layout in one file.
 *
 * The archive is gone through once, for the places of its members. One that is
 * compressed as a whole is first unpacked to a temporary file without a name.
 */
#ifndef FIRN_ARCHIVE_H
#define FIRN_ARCHIVE_H

#include "builder/layer.h"

struct archive;

int archive_open(const char *path, const struct limits *limits, struct archive **out, struct err *err);
void archive_free(struct archive *archive);

/* Where members' bytes are; the archive's own. */
int archive_fd(const struct archive *archive);

/* The place of the regular file @name; symlinks and hard links to it in the archive count as it. */
bool archive_find(const struct archive *archive, const char *name, uint64_t *offset, uint64_t *size);

#endif
