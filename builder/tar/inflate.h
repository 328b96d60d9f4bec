/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inflate.h - a layer's bytes without their compression.
 *
 * What the data is is told by its first bytes, not by its media type: gzip (RFC
 * 1952, any number of members in a row, so eStargz as well), zstd (RFC 8878,
 * frames and skippable frames in a row), xz and bzip2 (streams in a row) or none.
 * Zeros may follow the last member, as tape padding; anything else there is an
 * error, and so is a compression that is known but not read. ISA-L does gzip where
 * it is built in, else zlib; bzip2 is there if libbz2 was.
 */
#ifndef FIRN_BUILDER_TAR_INFLATE_H
#define FIRN_BUILDER_TAR_INFLATE_H

#include "builder/tar/stream.h"

/* Takes @below over in any case. @kind (may be NULL) gets "gzip", "zstd", "xz", "bzip2" or "none":
 * static. */
int inflate_open(struct stream *below, struct stream **out, const char **kind, struct err *err);

/* The libraries at work, for the verbose log: "gzip by ISA-L 2.30". */
const char *inflate_gzip_library(void);

#endif
