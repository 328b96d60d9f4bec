/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pin.h - what was submitted: which image it was then, and with which options.
 *
 * A pin is made where the user types, travels in the job's environment and is read on
 * every node. It is a text of lines; sealed, it is a MUNGE credential with that text
 * inside, which nobody else can have made. doc/decisions/slurm.md tells what it is for.
 */
#ifndef FIRN_SLURM_PLUGIN_PIN_H
#define FIRN_SLURM_PLUGIN_PIN_H

#include "lib/err.h"
#include "lib/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pin {
	char *word;	/* the image as the option had it */
	char *image;	/* its absolute path */
	char *identity; /* lib/image/identity.h's word; NULL: it could not be looked at then */
	char **data;	/* of --container-mounts, "IDENTITY SRC" for each data image that could be
			   looked at, SRC without backslashes; NULL: none */
	char options[2 * SHA256_SIZE + 1]; /* hash of all other options */
};

/* All strings are owned. */
void pin_clear(struct pin *pin);
#define auto_pin CLEANUP(pin_clear) struct pin

/* To a text without NUL and newline at its end, and back. Refused are names with a newline. */
int pin_print(const struct pin *pin, char **out, struct err *err);
int pin_parse(const char *text, size_t size, struct pin *out, struct err *err);

/* What goes into the environment: the text, or the credential by munged at @socket (NULL: its
 * default). */
int pin_seal(const char *text, const char *socket, char **out, struct err *err);
bool pin_is_sealed(const char *value);

/*
 * Open a sealed one, made by @uid. Expired and replayed ones are good: jobs wait for
 * hours, and every node decodes the same. Returns 0, 1 with @err when munged cannot be asked
 * here, or -1 for a credential that is forged, damaged or another user's.
 */
int pin_open(const char *value, const char *socket, uid_t uid, struct pin *out, struct err *err);

#endif
