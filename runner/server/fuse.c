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

static bool is_refused(const struct worker *worker)
{
	const struct server_options *options = worker->server->options;
	struct server_kind kind;
	uint64_t unique;

	if (options->refused_count == 0 || !server_kind_of(worker->slot, &kind, &unique))
		return false;
	for (size_t i = 0; i < options->refused_count; i++)
		if (kind.opcode == options->refused[i].opcode &&
		    kind.node == options->refused[i].node && kind.name == options->refused[i].name)
			return true;
	return false;
}

static void run(struct worker *worker, const struct operation *operation,
		const struct request_in *in)
{
	if (server_test_hook)
		server_test_hook(worker, in);
	operation->run(worker, in);
}

/* The slot is cleared afterwards only: who ends in between leaves the request to the next process.
 */
static void answer(struct worker *worker, size_t size)
{
	struct fuse_in_header *head = (void *)worker->slot->request;
	struct request_in in = {head, head + 1, size - sizeof(*head)};
	const struct operation *operation;

	if (size < sizeof(*head) || head->len != size || head->opcode >= OPCODES) {
		if (size >= sizeof(*head))
			fuse_error(worker, &in, ENOSYS);
		head->len = 0;
		return;
	}
	atomic_fetch_add_explicit(&worker->server->count[head->opcode], 1, memory_order_relaxed);
	operation = &fuse_operations[head->opcode];
	if (!operation->run)
		fuse_error(worker, &in, ENOSYS);
	else if (!is_complete(operation, &in) || is_refused(worker))
		fuse_error(worker, &in, EIO);
	else
		run(worker, operation, &in);
	head->len = 0;
	atomic_fetch_add_explicit(&worker->server->options->table->answered, 1,
				  memory_order_relaxed);
}

/* Returns the size of the next request, 0 when the mount is gone, -1 when the device fails
 * otherwise. */
static ssize_t next(struct worker *worker)
{
	for (;;) {
		ssize_t got = read(worker->server->device, worker->slot->request,
				   sizeof(worker->slot->request));

		if (got > 0)
			return got;
		/* ENOENT: the request was interrupted between being seen and being read. */
		if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		return got < 0 && errno != ENODEV ? -1 : 0;
	}
}

int fuse_loop(struct worker *worker, unsigned limit)
{
	ssize_t got;

	while ((got = next(worker)) > 0) {
		answer(worker, (size_t)got);
		if (limit > 0 && --limit == 0)
			return 1;
	}
	return (int)got;
}

void fuse_answer_left(struct worker *worker, struct server_slot *slot)
{
	struct server_slot *own = worker->slot;
	const struct fuse_in_header *head = (const void *)slot->request;
	size_t size = head->len;

	worker->slot = slot;
	if (size >= sizeof(*head) && size <= sizeof(slot->request))
		answer(worker, size);
	worker->slot = own;
}

int fuse_refuse_all(struct worker *worker, bool (*is_back)(void *arg), void *arg)
{
	struct fuse_in_header *head = (void *)worker->slot->request;
	ssize_t got;

	while ((got = next(worker)) > 0) {
		struct request_in in = {head, head + 1, 0};
		bool back = is_back(arg);

		if (back) {
			answer(worker, (size_t)got);
			return 1;
		}
		if (head->opcode != FUSE_FORGET && head->opcode != FUSE_BATCH_FORGET &&
		    head->opcode != FUSE_INTERRUPT)
			fuse_error(worker, &in, EIO);
		head->len = 0;
	}
	return (int)got;
}

/* FNV-1a. */
static uint32_t hash_name(const char *name, size_t room)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < room && name[i]; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash;
}

bool server_kind_of(const struct server_slot *slot, struct server_kind *out, uint64_t *unique)
{
	struct fuse_in_header head;

	memcpy(&head, slot->request, sizeof(head));
	if (head.len < sizeof(head) || head.len > sizeof(slot->request))
		return false;
	*unique = head.unique;
	*out = (struct server_kind){.opcode = head.opcode, .node = head.nodeid};
	if (head.opcode == FUSE_LOOKUP)
		out->name = hash_name(slot->request + sizeof(head), head.len - sizeof(head));
	return true;
}
