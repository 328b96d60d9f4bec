/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/trace.h"

#include "runner/server/node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper ones are not looked at, and no more than so many names: an image may be endless. */
enum { DEPTH_MAX = 64, NAMES_MAX = 4000000 };

struct trace {
	struct squashfs_reader *reader;
	uint64_t wanted; /* an inode reference */
	char *path;
	size_t size, len;
	unsigned depth, names;
};

enum { FOUND = 1, GIVE_UP = 2 };

static int look_into(struct trace *trace, uint64_t ref);

static int look_at(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	struct trace *trace = arg;
	size_t len = trace->len;
	int result = 0;

	(void)position;
	if (++trace->names > NAMES_MAX)
		return GIVE_UP;
	if (len + 1 + entry->len >= trace->size)
		return 0;
	if (entry->ref != trace->wanted && !S_ISDIR(entry->type))
		return 0;
	trace->path[trace->len++] = '/';
	memcpy(trace->path + trace->len, entry->name, entry->len + 1);
	trace->len += entry->len;
	if (entry->ref == trace->wanted)
		result = FOUND;
	else if (trace->depth < DEPTH_MAX)
		result = look_into(trace, entry->ref);
	if (result != FOUND)
		trace->len = len;
	return result;
}

/* What cannot be read is passed over: it may be what is looked for. */
static int look_into(struct trace *trace, uint64_t ref)
{
	struct squashfs_inode dir;
	struct err ignored;
	int result;

	if (squashfs_inode(trace->reader, ref, &dir, &ignored) < 0 || !S_ISDIR(dir.mode))
		return 0;
	trace->depth++;
	result = squashfs_each(trace->reader, &dir, 0, look_at, trace, &ignored);
	trace->depth--;
	return result > 0 ? result : 0;
}

bool trace_path(struct squashfs_reader *reader, const struct server_kind *kind, char *path,
		size_t size)
{
	uint64_t root = squashfs_info(squashfs_reader_image(reader))->root;
	struct trace trace = {.reader = reader, .path = path, .size = size};

	if (node_is_shown(kind->node))
		return false;
	trace.wanted = node_ref(kind->node, root);
	if (trace.wanted == root) {
		(void)snprintf(path, size, "/");
		return true;
	}
	return look_into(&trace, root) == FOUND;
}
