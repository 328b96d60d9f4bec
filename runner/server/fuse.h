/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * fuse.h - one thread's conversation with the kernel.
 *
 * Requests are read from the device and answered one at a time; the structures
 * are those of <linux/fuse.h>.
 */
#ifndef FIRN_FUSE_H
#define FIRN_FUSE_H

#include "lib/squashfs.h"
#include "runner/server/server.h"
#include "runner/server/show.h"

#include <linux/fuse.h>
#include <stdatomic.h>
#include <sys/uio.h>

enum {
	REQUEST_SIZE = 16384,      /* above FUSE_MIN_READ_BUFFER and any request of a reader */
	LISTING_SIZE = 1 << 20,    /* the largest directory reply that the kernel asks for */
	OPCODES = 64,
};

/* What all threads share; read-only but for the atomics. */
struct server {
	const struct server_options *options;
	struct squashfs *image;
	uint64_t root_ref;
	const struct show_tree *shows;
	int device;
	int launcher;            /* see server_run() */
	int program;             /* pidfd, or -1 */
	bool ahead;              /* there is a second CPU for ahead.c */
	atomic_int ahead_files;  /* files that it has begun */
	atomic_ulong count[OPCODES]; /* requests, for -vv */
	void (*more_threads)(struct server *server); /* called when there is data to read */
};

struct worker {
	struct server *server;
	struct squashfs_reader *reader;
	char *listing; /* LISTING_SIZE bytes, made when first needed */
	char request[REQUEST_SIZE] __attribute__((aligned(8)));
};

/* A request: @arg is what follows the header, @size bytes long and never shorter than its operation needs. */
struct request_in {
	const struct fuse_in_header *head;
	const void *arg;
	size_t size;
};

/* Answer: with an error (0: success without data), with one piece, or with several. */
void fuse_error(struct worker *worker, const struct request_in *in, int code);
void fuse_reply(struct worker *worker, const struct request_in *in, const void *data, size_t size);
void fuse_pieces(struct worker *worker, const struct request_in *in, const struct iovec *piece,
		 int count, size_t size);

/* Answer requests until the mount is gone. Returns 0, or -1 when the device fails otherwise. */
int fuse_loop(struct worker *worker);

/* ops.c: one function per operation. */
typedef void fuse_operation(struct worker *worker, const struct request_in *in);
struct operation {
	fuse_operation *run;
	size_t needs;   /* bytes of argument at least */
	bool has_name;  /* a NUL-terminated name must follow them */
};
extern const struct operation fuse_operations[OPCODES];

/* The image proved damaged: tell the launcher or the user (server.c). */
void server_complain(struct server *server, const struct err *err);

#endif
