/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * fuse.h - one thread's conversation with the kernel.
 *
 * Requests are read from the device and answered one at a time; the structures
 * are those of <linux/fuse.h>, and what they mean the kernel's
 * Documentation/filesystems/fuse/ and fs/fuse/dev.c tell. A request comes whole in
 * one read(2) and an answer goes whole in one writev(2). Every request but FORGET,
 * BATCH_FORGET and INTERRUPT gets exactly one answer, or who asks waits for ever.
 *
 * The kernel is not the enemy here, but who made the image is: what an operation
 * finds damaged becomes an error number for whoever asked, and a line.
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
	LISTING_SIZE = 1 << 20, /* the largest directory reply that the kernel asks for */
	OPCODES = 64,		/* above all operations that <linux/fuse.h> numbers in a row */
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

/* One thread of it. All is its own but the server. */
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

/*
 * Answer: with an error (an errno value; 0: success without data), with one piece, or with
 * @count of them, at most SQUASHFS_SPAN_MAX + 1, of @size bytes together. Nothing is returned: an
 * answer that the kernel does not take becomes EIO, and one that nobody waits for is dropped.
 */
void fuse_error(struct worker *worker, const struct request_in *in, int code);
void fuse_reply(struct worker *worker, const struct request_in *in, const void *data, size_t size);
void fuse_pieces(struct worker *worker, const struct request_in *in, const struct iovec *piece,
		 int count, size_t size);

/*
 * Answer requests until the mount is gone, or @limit of them if that is not 0.
 * Returns 0, 1 after @limit, or -1 when the device fails otherwise. Kinds of requests
 * that options.refused names get EIO unseen.
 */
int fuse_loop(struct worker *worker, unsigned limit);

/* Answer what another process has read into @slot and not answered, if anything. */
void fuse_answer_left(struct worker *worker, struct server_slot *slot);

/*
 * There is no image to answer from: all requests get EIO, until @is_back, asked at each of them,
 * says that there is one. Returns as fuse_loop(): 1 when it is back, and that request is answered.
 */
int fuse_refuse_all(struct worker *worker, bool (*is_back)(void *arg), void *arg);

/*
 * ops.c: one function per operation; NULL for what is answered by ENOSYS. It is called with at
 * least @needs bytes of argument, and has answered when it returns.
 */
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

/*
 * The image proved damaged: tell the launcher or the user (server.c). The same thing is said once,
 * and three things at most. Waits up to a second for the supervisor to have heard it, so that the
 * line stands before the program's own message about the error.
 */
void server_complain(struct server *server, const struct err *err);

#endif
