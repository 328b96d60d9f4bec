/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/fuse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECES_MAX = SQUASHFS_SPAN_MAX + 1 };

/* Returns 0, or -1 when the kernel refuses the answer and the asker waits on. */
static int send_reply(struct worker *worker, struct iovec *vector, int count)
{
	ssize_t sent;

	do
		sent = writev(worker->server->device, vector, count);
	while (sent < 0 && errno == EINTR);
	/*
	 * ENOENT says that the request was interrupted meanwhile, ENODEV that the
	 * mount is gone: nobody waits for the answer then.
	 */
	return sent < 0 && errno != ENOENT && errno != ENODEV ? -1 : 0;
}

void fuse_error(struct worker *worker, const struct request_in *in, int code)
{
	struct fuse_out_header out = {
		.len = sizeof(out), .error = -code, .unique = in->head->unique};
	struct iovec vector = {&out, sizeof(out)};

	(void)send_reply(worker, &vector, 1);
}

void fuse_reply(struct worker *worker, const struct request_in *in, const void *data, size_t size)
{
	struct iovec piece = {(void *)data, size};

	fuse_pieces(worker, in, &piece, 1, size);
}

void fuse_pieces(struct worker *worker, const struct request_in *in, const struct iovec *piece,
		 int count, size_t size)
{
	struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + size),
				      .unique = in->head->unique};
	struct iovec vector[PIECES_MAX + 1];

	vector[0] = (struct iovec){&out, sizeof(out)};
	memcpy(vector + 1, piece, (size_t)count * sizeof(*piece));
	if (send_reply(worker, vector, count + 1) < 0)
		fuse_error(worker, in, EIO);
}

static bool is_complete(const struct operation *operation, const struct request_in *in)
{
	if (in->size < operation->needs)
		return false;
	return !operation->has_name ||
	       memchr((const char *)in->arg + operation->needs, '\0', in->size - operation->needs);
}

static void answer(struct worker *worker, size_t size)
{
	const struct fuse_in_header *head = (const void *)worker->request;
	struct request_in in = {head, head + 1, size - sizeof(*head)};
	const struct operation *operation;

	if (size < sizeof(*head) || head->len != size || head->opcode >= OPCODES) {
		if (size >= sizeof(*head))
			fuse_error(worker, &in, ENOSYS);
		return;
	}
	atomic_fetch_add_explicit(&worker->server->count[head->opcode], 1, memory_order_relaxed);
	operation = &fuse_operations[head->opcode];
	if (!operation->run)
		fuse_error(worker, &in, ENOSYS);
	else if (!is_complete(operation, &in))
		fuse_error(worker, &in, EIO);
	else
		operation->run(worker, &in);
}

int fuse_loop(struct worker *worker)
{
	for (;;) {
		ssize_t got = read(worker->server->device, worker->request, sizeof(worker->request));

		if (got > 0) {
			answer(worker, (size_t)got);
			continue;
		}
		/* ENOENT: the request was interrupted between being seen and being read. */
		if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		return got < 0 && errno != ENODEV ? -1 : 0;
	}
}
