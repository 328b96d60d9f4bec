/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * hook.c - what a program could do that has taken over the mount server.
 *
 * Linked into firn as firn_hooked. Reading a file of CRASH_SIZE bytes, or looking up a name
 * that begins with "crash", is a fault. Looking up "escape" tries all that the cage forbids, and
 * tells on the program's standard error how much of it was refused.
 */
#include "lib/own.h"
#include "runner/server/fuse.h"
#include "runner/server/node.h"
#include "tests/tools/escape.h"

#include <sys/mman.h>

enum { CRASH_SIZE = 66666 };

static void crash(void)
{
	volatile uintptr_t nowhere = 16;

	*(volatile int *)nowhere = 1;
}

static bool is_poison(struct worker *worker, const struct request_in *in)
{
	struct squashfs_inode inode;
	struct err err;

	if (in->head->opcode == FUSE_LOOKUP)
		return strncmp(in->arg, "crash", 5) == 0;
	return in->head->opcode == FUSE_READ && !node_is_shown(in->head->nodeid) &&
	       squashfs_inode(worker->reader, node_ref(in->head->nodeid, worker->server->root_ref),
			      &inode, &err) == 0 &&
	       inode.size == CRASH_SIZE;
}

static void escape(struct worker *worker)
{
	int refused = 0;
	struct err err;

	for (size_t i = 0; i < ESCAPES; i++)
		refused += escape_is_refused(i, worker->server->options->image_fd);
	/* And more memory than it was given. */
	refused += mmap(NULL, (size_t)1 << 31, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		   MAP_FAILED;
	(void)err_set(&err, "of %d attempts %d were refused", ESCAPES + 1, refused);
	server_complain(worker->server, &err);
}

void server_test_hook(struct worker *worker, const struct request_in *in)
{
	if (is_poison(worker, in))
		crash();
	if (in->head->opcode == FUSE_LOOKUP && strcmp(in->arg, "escape") == 0)
		escape(worker);
}
