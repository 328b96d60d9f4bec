/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ask.h - the line's end in the cage.
 *
 * Used by several threads; all but those about blobs wait for each other.
 */
#ifndef FIRN_BUILDER_ACROSS_ASK_H
#define FIRN_BUILDER_ACROSS_ASK_H

#include "builder/across/line.h"
#include "builder/tar/stream.h"

struct asker;

/* @socket: LINE_SOCKETS of them, borrowed; -1: there are no readers. */
int ask_new(const int socket[LINE_SOCKETS], struct asker **out, struct err *err);
void ask_free(struct asker *ask);

/* A document as a new string of @size bytes and a NUL, at most @max of them. */
struct ask_document {
	char *text;
	size_t size;
	struct digest digest;
	char media_type[256];
};
int ask_top(struct asker *ask, size_t max, struct ask_document *out, struct err *err);
int ask_for_document(struct asker *ask, const struct digest *digest, uint64_t size,
		     bool is_manifest, size_t max, char **text, size_t *out_size, struct err *err);
/* @size: bytes of all layers, for who looks whether there is room for them. */
int ask_to_name(struct asker *ask, bool is_index, uint64_t size, struct err *err);
/* One that answers for blobs is to be there before threads of ours take its place. */
void ask_to_begin(struct asker *ask);
/*
 * No blob is asked for after this. Those that are still read end early, as failed; @all_read: there
 * are none, and this returns when nobody waits for questions any more.
 */
void ask_to_stop(struct asker *ask, bool all_read);

/* The file @path of the layout: a descriptor, the caller's, or -1. */
int ask_for_member(struct asker *ask, const char *path, uint64_t *size, struct err *err);

/*
 * A blob of @size bytes. Waits where others have all that answer. Its bytes come as @out. @fd gets
 * the file that holds them, the blob's, or -1: then their digest and size are checked at the other
 * side. Closed after the stream: then
 * @fd stays open if @keep, and is the caller's. Returns whether it was damaged where it was kept,
 * so that to ask for it once more gives other bytes.
 */
struct ask_blob;
int ask_for_blob(struct asker *ask, const struct digest *digest, uint64_t size, const char *what,
		 struct ask_blob **blob, struct stream **out, int *fd, struct err *err);
bool ask_blob_close(struct ask_blob *blob, enum line_verdict verdict, bool keep);

#endif
