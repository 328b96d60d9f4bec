/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/arena.h"

#include <stdint.h>

enum { BLOCK_SIZE = 256 << 10, ALIGNMENT = 8 };

struct arena_block {
	struct arena_block *before;
	size_t size;
	unsigned char data[];
};

void *arena_take(struct arena *arena, size_t size)
{
	void *taken;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!arena->block || size > arena->block->size - arena->used) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		struct arena_block *block = calloc(1, sizeof(*block) + room);

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

void arena_free(struct arena *arena)
{
	while (arena->block) {
		struct arena_block *before = arena->block->before;

		free(arena->block);
		arena->block = before;
	}
	arena->used = arena->total = 0;
}
