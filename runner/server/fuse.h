/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * fuse.h - one thread's conversation with the kernel.
 *
 * Requests are read from the device and answered one at a time; the structures
 * are those of <linux/fuse.h>.
 */
#ifndef FIRN_RUNNER_SERVER_FUSE_H
#define FIRN_RUNNER_SERVER_FUSE_H

#include "lib/squashfs/squashfs.h"
#include "runner/server/setup.h"
#include "runner/server/show.h"

#include <linux/fuse.h>
#include <stdatomic.h>
#include <sys/uio.h>

enum {
	LISTING_SIZE = 1 << 20,    /* the largest directory reply that the kernel asks for */
	OPCODES = 64,
};

struct ahead;

/* What all threads share; read-only but for the atomics. */
struct server {
	const struct server_options *options;
	struct squashfs *image;
	uint64_t root_ref;
	const struct show_tree *shows;
	int device;
	struct ahead *ahead;     /* NULL where there is no second CPU for it */
	atomic_ulong count[OPCODES]; /* requests, for -vv */
	void (*more_threads)(struct server *server); /* called when there is data to read */
};

struct worker {
	struct server *server;
	struct squashfs_reader *reader;
	struct server_slot *slot;
	char *listing; /* LISTING_SIZE bytes, made when first needed */
};

/* A request: @arg is what follows the header, @size bytes long and never shorter than its operation
 * needs. */
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

/*
 * Answer requests until the mount is gone, or @limit of them if that is not 0.
 * Returns 0, 1 after @limit, or -1 when the device fails otherwise.
 */
int fuse_loop(struct worker *worker, unsigned limit);

/* Answer what another process has read into @slot and not answered, if anything. */
void fuse_answer_left(struct worker *worker, struct server_slot *slot);

/* There is no image to answer from: all requests get EIO, until @is_back says that there is one. */
int fuse_refuse_all(struct worker *worker, bool (*is_back)(void *arg), void *arg);

/* ops.c: one function per operation. */
typedef void fuse_operation(struct worker *worker, const struct request_in *in);
struct operation {
	fuse_operation *run;
	size_t needs;   /* bytes of argument at least */
	bool has_name;  /* a NUL-terminated name must follow them */
};
extern const struct operation fuse_operations[OPCODES];

/*
 * What server_main() does, without a cage and without threads: open the image, and serve. For
 * tests. The crew is a server with its threads and what they share; its end is the process's.
 */
struct crew;
struct crew *server_begin(const struct server_options *options, struct err *err);
int server_serve(struct crew *crew, int device);

/* Called before each answer, where a program that is linked with it has one: for tests. */
void server_test_hook(struct worker *worker, const struct request_in *in) __attribute__((weak));

/* The image proved damaged: tell the launcher or the user (server.c). */
void server_complain(struct server *server, const struct err *err);

#endif
