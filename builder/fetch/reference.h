/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * reference.h - the name of an image in a registry.
 *
 * HOST[:PORT]/NAME[:TAG][@DIGEST]: the grammar of the distribution spec ("Pulling
 * manifests") and of distribution's reference package. What a name without a
 * host means is not decided here (shortname.h).
 */
#ifndef FIRN_BUILDER_FETCH_REFERENCE_H
#define FIRN_BUILDER_FETCH_REFERENCE_H

#include "builder/digest.h"

/* Docker Hub, as names have it; its API has another host, registry.c's. */
#define REFERENCE_HUB "docker.io"

/* The parts of a name, all of them checked against the grammar: they go into URLs and paths. */
struct reference {
	char *host;           /* with its port; "docker.io" is registry-1.docker.io's other name */
	char *name;           /* "group/name" */
	char *tag;            /* NULL when only a digest is said */
	struct digest digest; /* "" when none is said */
};

/*
 * Whether @text says which registry: its first part has a dot or a port, or is localhost. Of
 * what is no reference at all the answer means nothing.
 */
bool reference_has_host(const char *text);

/*
 * Take @text apart. @default_host: where a name without a host is; NULL: such a name is an
 * error. A name with neither tag nor digest means "latest". Returns 0 and a new @out, or -1
 * with @err saying which part is wrong.
 */
int reference_parse(const char *text, const char *default_host, struct reference **out,
		    struct err *err);
void reference_free(struct reference *reference);
void reference_freep(struct reference **reference);
#define auto_reference CLEANUP(reference_freep) struct reference

#endif
