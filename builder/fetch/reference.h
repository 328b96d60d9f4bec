/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * reference.h - the name of an image in a registry.
 *
 * HOST[:PORT]/NAME[:TAG][@DIGEST]: the grammar of the distribution spec ("Pulling
 * manifests") and of distribution's reference package. The host must be said:
 * guessing one makes a name mean different images at different sites.
 */
#ifndef FIRN_BUILDER_FETCH_REFERENCE_H
#define FIRN_BUILDER_FETCH_REFERENCE_H

#include "builder/digest.h"

struct reference {
	char *host;           /* with its port; "docker.io" is registry-1.docker.io's other name */
	char *name;           /* "group/name" */
	char *tag;            /* NULL when only a digest is said */
	struct digest digest; /* "" when none is said */
};

/* @default_host: what a name without a host means at this site; NULL: an error. */
int reference_parse(const char *text, const char *default_host, struct reference **out,
		    struct err *err);
void reference_free(struct reference *reference);
void reference_freep(struct reference **reference);
#define auto_reference CLEANUP(reference_freep) struct reference

/* Whether @host (with or without a port) is this machine: localhost, 127.x.x.x or [::1]. */
bool host_is_loopback(const char *host);

#endif
