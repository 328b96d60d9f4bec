/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * oci.h - the OCI image configuration, as far as running needs it.
 *
 * Source: opencontainers/image-spec config.md; kept verbatim in the image as
 * /.firn/config.json. All fields are owned; vectors end with NULL and are NULL
 * when the configuration lacks them.
 */
#ifndef FIRN_LIB_IMAGE_OCI_H
#define FIRN_LIB_IMAGE_OCI_H

#include "lib/err.h"
#include "lib/own.h"

struct oci_config {
	char **env;        /* NAME=VALUE */
	char **entrypoint; /* as cmd empty, too, where the configuration has one empty string */
	char **cmd;
	char **labels;     /* KEY=VALUE */
	char *workdir;
	char *user;
	char *architecture; /* Go names: amd64, arm64 */
	char *os;
	char *created;
};

int oci_config_parse(const char *text, size_t size, struct oci_config **out, struct err *err);
void oci_config_free(struct oci_config *config);
void oci_config_freep(struct oci_config **config);
#define auto_oci_config CLEANUP(oci_config_freep) struct oci_config

#endif
