/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * arena.h - many small things that are freed together.
 *
 * The arenas of one build may share a budget: an image's names, links and
 * attributes are kept in memory, and it is a stranger who chose them. An arena is
 * for one thread, a budget for all of them. Nothing taken can be given back alone.
 */
#ifndef FIRN_BUILDER_SQUASH_ARENA_H
#define FIRN_BUILDER_SQUASH_ARENA_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* So many bytes may be taken in all; counted in the blocks that arenas take, not to the byte. */
struct budget {
	atomic_size_t used; /* bytes */
	size_t max;
};

/* Count @size bytes; false, with errno ENOMEM, where they are too many. NULL: as many as one likes.
 */
bool budget_take(struct budget *budget, size_t size);
/* They were freed. */
void budget_give(struct budget *budget, size_t size);

/* Begins with zeros, and the budget if there is one. */
struct arena {
	struct arena_block *block; /* the newest */
	size_t used;               /* of it, bytes */
	size_t total;              /* bytes taken in all */
	struct budget *budget;     /* borrowed; NULL: none */
};

/*
 * @size bytes, zeroed, 8-aligned; or a copy of @data, or of @text with its NUL. NULL without
 * memory, or where the budget has no more: arena_fail() tells which.
 */
void *arena_take(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_string(struct arena *arena, const char *text);
/*
 * Say why there was no memory: that the budget is used up, or by errno with the aim @what, "cannot
 * read a layer". Returns -1.
 */
int arena_fail(const struct arena *arena, const char *what, struct err *err);
void arena_free(struct arena *arena); /* what was taken; the arena may be used again */

#endif
