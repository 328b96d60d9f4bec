/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * provenance.h - what an image was made of and how, in the image itself.
 *
 * /.firn/provenance.json holds what decides the image's bytes and nothing else: no
 * host, user, path or clock, and no digest of compressed layers. So the same
 * layers give the same file whatever they were compressed with and wherever
 * they came from; where that was stands behind the squashfs (lib/image/origin.h).
 * libsquashfs does not tell its version: what is recorded is that of its headers when
 * firn was built, which a library replaced since then makes wrong.
 */
#ifndef FIRN_BUILDER_RECORD_PROVENANCE_H
#define FIRN_BUILDER_RECORD_PROVENANCE_H

#include "builder/source/source.h"
#include "builder/squash/pack.h"

/* What of the command line changes the bytes. */
struct build_options {
	struct codec codec;
	bool all_root;
	bool has_epoch;
	uint32_t epoch; /* SOURCE_DATE_EPOCH */
};

enum { IMAGE_FORMAT = 1 }; /* goes up when firn-build packs the same tree otherwise */

/*
 * The text of PROVENANCE_FILE, @size bytes and a NUL, to be freed. @ch: see compat_ch_digest().
 * Returns 0, or -1 without memory.
 */
int provenance_write(const struct source *source, const struct build_options *options,
		     const struct digest *tree, const struct digest *ch, char **text, size_t *size,
		     struct err *err);

/* What verifying needs of it. Texts that an image does not have are "". */
struct provenance {
	struct build_options options;
	struct digest tree;
	struct digest config; /* "": the image has none */
	struct digest ch;     /* "": /ch is what follows from the configuration */
	char codec_text[32];
	char firn[32];      /* version, which stands in the image as well */
	char library[32];   /* version of the compression's library */
	char libsquashfs[32];
	int format;
	size_t layers; /* that it names */
};
/*
 * Read the text of PROVENANCE_FILE. Returns 0, or -1 with @err for one that lacks what is needed.
 */
int provenance_read(const char *text, size_t size, struct provenance *out, struct err *err);
/* The layers that the text of a provenance names are those of the configuration, if it names any.
 */
int provenance_check_layers(const char *text, size_t size, const char *config, size_t config_size,
			    struct err *err);
/*
 * Whether this program would pack the same tree into the same bytes: its format and the versions
 * of the libraries are those that are recorded.
 */
bool provenance_is_ours(const struct provenance *provenance);

/* The text of the origin section; NULL without an error when the source has no name to be fetched
 * by. */
int provenance_write_origin(const struct source *source, const struct digest *image, char **text,
			    struct err *err);

/* What an origin's text says, which whoever has the file may have written. */
struct origin_claims {
	char *reference; /* by the manifest's digest, for an index would be asked for another
			    platform; or NULL */
	struct digest image, config; /* "" where it does not say */
	bool has_layers;
	size_t layers;
};
/* Returns 0, or -1 with @err, also when what it says of one thing in two places differs. */
int provenance_read_origin(const char *text, size_t size, struct origin_claims *out,
			   struct err *err);

#endif
