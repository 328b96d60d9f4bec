/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * oci.h - the OCI image configuration: what an image says of itself.
 *
 * Source: opencontainers/image-spec config.md, "Properties"; Docker's own format is the same
 * where we look. The builder keeps the document verbatim as /.firn/config.json, and the runner
 * reads it there, with these functions both: one document cannot mean one thing when it is
 * built and another when it runs. Absent and null are alike; any other wrong type is an error
 * that names the key, for to go on without an Entrypoint or Env would run something else. Keys
 * are told apart by case, and twice the same key in an object is an error (lib/json.h).
 */
#ifndef FIRN_LIB_IMAGE_OCI_H
#define FIRN_LIB_IMAGE_OCI_H

#include "lib/err.h"
#include "lib/own.h"

/* All fields are owned. Lists end with NULL and are NULL when the configuration lacks them; an
 * empty list is an empty list. */
struct oci_config {
	char **env;	   /* NAME=VALUE, as it says: nobody has looked at the names */
	char **entrypoint; /* as cmd empty, too, where the configuration has one empty string */
	char **cmd;
	char **labels;	    /* KEY=VALUE, in the document's order */
	char *workdir;	    /* may be empty, relative, or full of ".." */
	char *user;	    /* UID, NAME, UID:GID or NAME:GROUP, of the image's passwd and group */
	char *architecture; /* Go names: amd64, arm64 */
	char *os;
	char *variant; /* v8, v3; mostly absent */
	char *created; /* RFC 3339, or whatever stands there */
};

/* Read the @size bytes of @text. Returns 0 and a new @out, or -1 with the cause in @err. */
int oci_config_parse(const char *text, size_t size, struct oci_config **out, struct err *err);

/* Free @config and what is in it; NULL is fine. auto_oci_config does it at the end of the block. */
void oci_config_free(struct oci_config *config);
void oci_config_freep(struct oci_config **config);
#define auto_oci_config CLEANUP(oci_config_freep) struct oci_config

/*
 * The same document's rootfs.diff_ids, the digests of the unpacked layers, lowest first, as they
 * are written there. A new list in @out (words_free()), NULL if there is none. Apart from the
 * rest, as a start has no use for them. Returns 0, or -1 with the cause in @err.
 */
int oci_diff_ids(const char *text, size_t size, char ***out, struct err *err);

#endif
