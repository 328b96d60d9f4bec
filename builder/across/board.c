/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/across/board.h"

#include "lib/text.h"

#include <string.h>
#include <sys/mman.h>

struct board *board_new(void)
{
	void *memory = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void board_free(struct board *board)
{
	if (board)
		(void)munmap(board, sizeof(*board));
}

size_t board_count(const struct board *board)
{
	size_t count = atomic_load(&board->count);

	return count < BOARD_LAYERS_MAX ? count : BOARD_LAYERS_MAX;
}

void board_name(const struct board *board, size_t index, char out[BOARD_NAME_SIZE])
{
	memcpy(out, board->layer[index].name, BOARD_NAME_SIZE);
	out[BOARD_NAME_SIZE - 1] = 0;
	text_tame(out);
}

void board_pack(struct board *board, uint64_t total)
{
	atomic_store(&board->total, total);
	atomic_store(&board->packing, true);
}

void board_add(struct board *board, uint64_t size)
{
	atomic_fetch_add_explicit(&board->packed, size, memory_order_relaxed);
}
