/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * layer.h - one layer, from its compressed bytes to entries of a tree.
 *
 * A thread reads a layer in one go: sum of the blob, decompression, sum of the
 * tar (the diff_id), tar reader; file data goes to the spool, or stays where it
 * is when the layer is an uncompressed file. Entries are only collected here:
 * tree_apply() merges them. Nothing of a layer counts before both sums are right.
 */
#ifndef FIRN_BUILDER_TAR_LAYER_H
#define FIRN_BUILDER_TAR_LAYER_H

#include "builder/across/board.h"
#include "builder/squash/spool.h"
#include "builder/squash/tree.h"

#include <stdatomic.h>

/* What a build may use; firn.conf's [build] sets them. */
struct limits {
	size_t max_entries;  /* of one layer, and of the merged tree */
	uint64_t max_size;   /* bytes of files, unpacked, of one layer and of the image */
	uint64_t max_ratio;  /* unpacked bytes for one compressed byte, beyond LIMIT_RATIO_FROM */
	size_t max_memory;   /* bytes that names, links and attributes take in memory; 0: any number
			      */
	struct budget *memory; /* where one build counts them; NULL: not counted */
};
#define LIMIT_RATIO_FROM (256ULL << 20)

/*
 * A layer, and in the end what was in it. The array of them is the source's; while a layer is read
 * it belongs to the thread that reads it, but for the last part.
 */
struct layer {
	/* Set by the source before it is read */
	char name[128];        /* "layer 2 (sha256:0123...)", for messages */
	struct digest blob;    /* of the compressed bytes; "" when not known */
	struct digest diff_id; /* of the tar; "" when not known, then set by reading */
	uint64_t size;         /* of the blob, bytes; 0 when not known */
	bool is_root; /* all there is, so that its names hide nothing: .wh.NAME is a file */
	bool is_summed;		   /* who gives the blob's bytes checks their digest and size */
	const atomic_bool *cancel; /* when it turns true, reading fails; NULL: never */

	/* What reading gives */
	const char *compression; /* static */
	struct arena arena;
	struct entry *entry;
	size_t count, room;
	struct spool_stream *spool;
	int fd;                /* where an uncompressed layer's data stays; -1 */
	uint64_t fd_offset;
	uint64_t data_size;    /* of all files, bytes */
	size_t dropped_xattrs;

	/* For the progress: shown elsewhere */
	struct board_layer *board; /* the layer's own where nobody looks; set with its name */
	struct board_layer own;
};

/*
 * Read @raw (taken over) into @layer. @fd, if not -1, is the file whose bytes
 * from @offset on are @raw, and outlives the layer. Returns 0, or -1 with @err, which
 * names the layer and the entry: damage, a sum that is not as it was said, or a limit.
 */
int layer_read(struct layer *layer, struct stream *raw, int fd, uint64_t offset,
	       struct spool *spool, const struct limits *limits, struct err *err);

/* Whether files' data stay where they were read, in the layer's descriptor, and it must stay open.
 */
bool layer_keeps_file(const struct layer *layer);
/* Free what reading gave. Before the spool is closed. */
void layer_clear(struct layer *layer);
/* The same of a layer that could not be read; what its source set stays, so that it can be read
 * anew. */
void layer_restart(struct layer *layer);

#endif
