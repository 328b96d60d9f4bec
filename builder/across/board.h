/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * board.h - how far a build is, in memory that both processes of it see.
 *
 * Who reads the layers and packs them, in the cage, writes; who has the terminal reads, and takes
 * no word of it on trust: a name is text only once board_name() has made it so.
 */
#ifndef FIRN_BUILDER_ACROSS_BOARD_H
#define FIRN_BUILDER_ACROSS_BOARD_H

#include "lib/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BOARD_LAYERS_MAX = 4096, BOARD_NAME_SIZE = 128 };
enum board_state { BOARD_WAITING, BOARD_READING, BOARD_READY };

struct board_layer {
	char name[BOARD_NAME_SIZE];
	uint64_t size;		    /* bytes of the blob; 0 when not known */
	atomic_uint_least64_t done; /* ... that were read */
	atomic_int state;	    /* enum board_state */
};

struct board {
	atomic_size_t count; /* layers below; set when they are filled in */
	struct board_layer layer[BOARD_LAYERS_MAX];
	atomic_bool packing;		     /* the layers are read */
	atomic_uint_least64_t total, packed; /* bytes of files to be packed, and that are */
};

/* NULL without memory. */
struct board *board_new(void);
void board_free(struct board *board);

/* How many layers there are to be shown. */
size_t board_count(const struct board *board);
/* The name of layer @index, whatever stands there: a text without control characters. */
void board_name(const struct board *board, size_t index, char out[BOARD_NAME_SIZE]);

void board_pack(struct board *board, uint64_t total);
void board_add(struct board *board, uint64_t size);

#endif
