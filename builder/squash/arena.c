/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/arena.h"

#include <errno.h>
#include <stdint.h>

enum { FIRST_BLOCK_SIZE = 4 << 10, BLOCK_SIZE = 256 << 10, ALIGNMENT = 8 };

struct arena_block {
	struct arena_block *before;
	size_t size;
	unsigned char data[];
};

bool budget_take(struct budget *budget, size_t size)
{
	if (!budget ||
	    atomic_fetch_add_explicit(&budget->used, size, memory_order_relaxed) + size <=
		    budget->max)
		return true;
	errno = ENOMEM;
	return false;
}

void budget_give(struct budget *budget, size_t size)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, size, memory_order_relaxed);
}

/* Blocks grow with their arena: an image may have thousands of small layers. */
static size_t block_size(const struct arena *arena, size_t least)
{
	size_t size = arena->total < FIRST_BLOCK_SIZE ? FIRST_BLOCK_SIZE : arena->total;

	if (size > BLOCK_SIZE)
		size = BLOCK_SIZE;
	return least > size ? least : size;
}

void *arena_take(struct arena *arena, size_t size)
{
	void *taken;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!arena->block || size > arena->block->size - arena->used) {
		size_t room = block_size(arena, size);
		struct arena_block *block = NULL;

		if (budget_take(arena->budget, room))
			block = calloc(1, sizeof(*block) + room);
		if (!block)
			return NULL;
		block->before = arena->block;
		block->size = room;
		arena->block = block;
		arena->used = 0;
	}
	taken = arena->block->data + arena->used;
	arena->used += size;
	arena->total += size;
	return taken;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_take(arena, size);

	return copy && size > 0 ? memcpy(copy, data, size) : copy;
}

char *arena_string(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

int arena_fail(const struct arena *arena, const char *what, struct err *err)
{
	const struct budget *budget = arena->budget;

	if (budget && atomic_load(&budget->used) > budget->max)
		return err_set(err,
			       "names, links and attributes of more than %zu bytes (firn.conf's "
			       "[build] max-memory)",
			       budget->max);
	return err_sys(err, "%s", what);
}

void arena_free(struct arena *arena)
{
	while (arena->block) {
		struct arena_block *before = arena->block->before;

		budget_give(arena->budget, arena->block->size);
		free(arena->block);
		arena->block = before;
	}
	arena->used = arena->total = 0;
}
