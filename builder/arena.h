/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * arena.h - many small things that are freed together.
 */
#ifndef FIRN_ARENA_H
#define FIRN_ARENA_H

#include "lib/own.h"

#include <stddef.h>

struct arena {
	struct arena_block *block; /* the newest */
	size_t used;               /* of it, bytes */
	size_t total;              /* bytes taken in all */
};

void *arena_take(struct arena *arena, size_t size); /* zeroed, 8-aligned; NULL without memory */
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_string(struct arena *arena, const char *text);
void arena_free(struct arena *arena); /* what was taken; the arena may be used again */

#endif
