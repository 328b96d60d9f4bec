/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * credentials.h - who the user is to a registry.
 *
 * Read from the files that docker and podman write, in this order: $REGISTRY_AUTH_FILE,
 * $DOCKER_CONFIG/config.json, $XDG_RUNTIME_DIR/containers/auth.json,
 * ~/.docker/config.json; each may have "auths", "credHelpers" and "credsStore"
 * (docker-credential-helpers' protocol). Credentials never appear in messages,
 * logs or command lines.
 */
#ifndef FIRN_BUILDER_FETCH_CREDENTIALS_H
#define FIRN_BUILDER_FETCH_CREDENTIALS_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>

struct credentials {
	char *user, *password; /* NULL: none */
	char *identity_token;  /* OAuth2 refresh token, in place of a password; NULL: none */
};

/*
 * Those for @host (with its port), and for the repository @name where a file has an
 * entry for it. Returns 1, 0 when there are none, -1 for a file or helper that fails.
 */
int credentials_find(const char *host, const char *name, struct credentials *out, struct err *err);
void credentials_clear(struct credentials *credentials);

/* Decode base64 "USER:PASSWORD". -1 for what is none. For credentials_find() and the tests. */
int credentials_decode(const char *base64, struct credentials *out);

#endif
