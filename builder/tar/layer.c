/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/layer.h"

#include "builder/cage.h"
#include "builder/tar/inflate.h"
#include "builder/tar/readahead.h"
#include "lib/log.h"

#include <inttypes.h>
#include <sys/sysmacros.h>

enum { COPY_SIZE = 256 << 10 };

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define PSEUDO_LINKS ".wh..wh.plnk"

/* The work on one layer. */
struct reading {
	struct layer *layer;
	const struct limits *limits;
	struct tar *tar;
	char *buffer; /* COPY_SIZE */
	bool stays;   /* data is not spooled: the layer's file has it as it is */
	size_t notes; /* of aufs, left out */
	size_t marks; /* in a root file system, kept */
	char path[TREE_PATH_MAX + 1], target[TREE_PATH_MAX + 1];
};

/* Between decompressor and tar: a stream that grows out of all proportion is stopped. */
struct meter {
	struct stream stream;
	struct stream *below;
	const struct layer *layer;
	const struct limits *limits;
	uint64_t size;
};

static ssize_t meter_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct meter *meter = (struct meter *)stream;
	ssize_t n = meter->below->read(meter->below, buffer, size, err);
	uint64_t packed = atomic_load_explicit(&meter->layer->board->done, memory_order_relaxed);

	if (n <= 0)
		return n;
	meter->size += (uint64_t)n;
	if (meter->size > meter->limits->max_size)
		return err_set(err, "more than %" PRIu64
			       " bytes unpacked (firn.conf's [build] max-size)",
			       meter->limits->max_size);
	if (meter->size > LIMIT_RATIO_FROM && meter->size / meter->limits->max_ratio > packed)
		return err_set(err, "unpacks to more than %" PRIu64
			       " times its size (firn.conf's [build] max-ratio)",
			       meter->limits->max_ratio);
	return n;
}

static void meter_close(struct stream *stream)
{
	struct meter *meter = (struct meter *)stream;

	stream_close(meter->below);
	free(meter);
}

/* Counts the blob's bytes for the meter and for the progress. */
struct counter {
	struct stream stream;
	struct stream *below;
	struct layer *layer;
};

static ssize_t counter_read(struct stream *stream, void *buffer, size_t size, struct err *err)
{
	struct counter *counter = (struct counter *)stream;
	ssize_t n;

	if (counter->layer->cancel &&
	    atomic_load_explicit(counter->layer->cancel, memory_order_relaxed))
		return err_set(err, "not read: another layer failed");
	n = counter->below->read(counter->below, buffer, size, err);
	if (n > 0)
		atomic_fetch_add_explicit(&counter->layer->board->done, (uint64_t)n,
					  memory_order_relaxed);
	return n;
}

static void counter_close(struct stream *stream)
{
	stream_close(((struct counter *)stream)->below);
	free(stream);
}

static int check_blob(void *arg, const struct digest *digest, uint64_t size, struct err *err)
{
	const struct layer *layer = arg;

	if (layer->size > 0 && size != layer->size)
		return err_set(err, "is %" PRIu64 " bytes instead of %" PRIu64, size, layer->size);
	if (layer->blob.text[0] && !digest_is(&layer->blob, digest))
		return err_set(err, "its bytes do not match its digest; they sum up to %s",
			       digest->text);
	return 0;
}

static int check_diff_id(void *arg, const struct digest *digest, uint64_t size, struct err *err)
{
	struct layer *layer = arg;

	(void)size;
	if (layer->diff_id.text[0] && !digest_is(&layer->diff_id, digest))
		return err_set(err, "its tar does not match the configuration's diff_id %s",
			       layer->diff_id.text);
	layer->diff_id = *digest;
	return 0;
}

/* raw → counter → sum, if needed → inflate → meter, in a thread of their own, → sum. Takes @raw. */
static int open_chain(struct layer *layer, struct stream *raw, const struct limits *limits,
		      struct stream **out, struct err *err)
{
	struct counter *counter = calloc(1, sizeof(*counter));
	struct meter *meter = calloc(1, sizeof(*meter));
	struct stream *stream = counter ? &counter->stream : NULL;

	if (!counter || !meter) {
		free(counter);
		free(meter);
		stream_close(raw);
		(void)err_code(err, ENOMEM, "cannot read a layer");
		return -1;
	}
	*counter = (struct counter){{counter_read, counter_close}, raw, layer};
	if ((!layer->is_summed &&
	     stream_open_sum(stream, &layer->blob, check_blob, layer, &stream, err) < 0) ||
	    inflate_open(stream, &stream, &layer->compression, err) < 0) {
		free(meter);
		return -1;
	}
	*meter = (struct meter){{meter_read, meter_close}, stream, layer, limits, 0};
	if (ahead_open(&meter->stream, &stream, err) < 0)
		return -1;
	return stream_open_sum(stream, &layer->diff_id, check_diff_id, layer, out, err);
}

static int no_room(const struct layer *layer, struct err *err)
{
	return arena_fail(&layer->arena, "cannot read a layer", err);
}

static struct entry *add_entry(struct layer *layer, enum entry_kind kind, const char *path)
{
	struct entry *entry;

	if (layer->count == layer->room) {
		size_t room = layer->room ? 2 * layer->room : 64;
		struct entry *grown = NULL;

		if (budget_take(layer->arena.budget, (room - layer->room) * sizeof(*grown)))
			grown = reallocarray(layer->entry, room, sizeof(*grown));
		if (!grown)
			return NULL;
		layer->entry = grown;
		layer->room = room;
	}
	entry = &layer->entry[layer->count];
	*entry = (struct entry){.kind = kind, .path = arena_string(&layer->arena, path)};
	if (!entry->path)
		return NULL;
	layer->count++;
	return entry;
}

/* Only users' own attributes are of use without privileges; the others are left out. */
static int take_xattrs(struct layer *layer, const struct tar_entry *from, struct inode *inode)
{
	struct xattr *xattr;
	size_t count = 0;

	if (from->xattr_count == 0)
		return 0;
	xattr = arena_take(&layer->arena, from->xattr_count * sizeof(*xattr));
	if (!xattr)
		return -1;
	for (size_t i = 0; i < from->xattr_count; i++) {
		const struct tar_xattr *one = &from->xattr[i];
		size_t at = count;

		if (strncmp(one->name, "user.", 5) != 0 || strlen(one->name) > TREE_NAME_MAX ||
		    strlen(one->name) == 5 || one->size > UINT16_MAX) {
			layer->dropped_xattrs++;
			continue;
		}
		for (; at > 0 && strcmp(xattr[at - 1].name, one->name) > 0; at--)
			xattr[at] = xattr[at - 1];
		xattr[at] =
			(struct xattr){arena_string(&layer->arena, one->name),
				       arena_copy(&layer->arena, one->value, one->size), one->size};
		if (!xattr[at].name || !xattr[at].value)
			return -1;
		count++;
	}
	inode->xattr = xattr;
	inode->xattr_count = (uint32_t)count;
	return 0;
}

static int take_data(struct reading *reading, const struct tar_entry *from, struct inode *inode,
		     struct err *err)
{
	struct layer *layer = reading->layer;
	uint64_t stored = 0;
	ssize_t n;

	inode->size = from->size;
	layer->data_size += from->size;
	if (from->size > reading->limits->max_size || layer->data_size > reading->limits->max_size)
		return err_set(err,
			       "more than %" PRIu64
			       " bytes of files (firn.conf's [build] max-size)",
			       reading->limits->max_size);
	if (from->segment) {
		inode->segment = arena_copy(&layer->arena, from->segment,
					    from->segment_count * sizeof(*from->segment));
		inode->segment_count = (uint32_t)from->segment_count;
		if (!inode->segment)
			return no_room(reading->layer, err);
	}
	if (reading->stays)
		inode->data = (struct data){DATA_FD, {.fd = layer->fd},
					    layer->fd_offset + tar_position(reading->tar)};
	else
		inode->data = (struct data){DATA_SPOOL,
					    {.spool = layer->spool},
					    spool_size(layer->spool)};
	while ((n = tar_read(reading->tar, reading->buffer, COPY_SIZE, err)) > 0) {
		stored += (uint64_t)n;
		if (!reading->stays &&
		    spool_write(layer->spool, reading->buffer, (size_t)n, err) < 0)
			return -1;
	}
	if (n == 0 && stored != from->stored)
		return err_set(err, "the archive ends too soon");
	return n < 0 ? -1 : 0;
}

static uint32_t squashfs_time(int64_t mtime)
{
	return mtime < 0 ? 0 : mtime > UINT32_MAX ? UINT32_MAX : (uint32_t)mtime;
}

static mode_t type_of(enum tar_type type)
{
	static const mode_t types[] = {
		[TAR_FILE] = S_IFREG, [TAR_SYMLINK] = S_IFLNK, [TAR_CHAR] = S_IFCHR,
		[TAR_BLOCK] = S_IFBLK, [TAR_DIRECTORY] = S_IFDIR, [TAR_FIFO] = S_IFIFO,
	};

	return types[type];
}

static int take_inode(struct reading *reading, const struct tar_entry *from, struct err *err)
{
	struct layer *layer = reading->layer;
	struct inode *inode = arena_take(&layer->arena, sizeof(*inode));
	struct entry *entry = inode ? add_entry(layer, ENTRY_INODE, reading->path) : NULL;

	if (!entry)
		return no_room(reading->layer, err);
	entry->inode = inode;
	inode->mode = type_of(from->type) | from->mode;
	inode->uid = from->uid;
	inode->gid = from->gid;
	inode->mtime = squashfs_time(from->mtime);
	if (from->type == TAR_SYMLINK) {
		if (!*from->link)
			return err_set(err, "a symlink to nothing");
		inode->mode = S_IFLNK | 0777;
		inode->size = strlen(from->link);
		inode->target = arena_string(&layer->arena, from->link);
		if (!inode->target)
			return no_room(reading->layer, err);
	}
	if (take_xattrs(layer, from, inode) < 0)
		return no_room(reading->layer, err);
	return from->type == TAR_FILE ? take_data(reading, from, inode, err) : 0;
}

static int take_hardlink(struct reading *reading, const struct tar_entry *from, struct err *err)
{
	struct entry *entry;

	if (path_of_entry(from->link, reading->target, err) < 0)
		return err_aim(err, "a hard link to '%s'", from->link);
	entry = add_entry(reading->layer, ENTRY_HARDLINK, reading->path);
	if (!entry || !(entry->target = arena_string(&reading->layer->arena, reading->target)))
		return no_room(reading->layer, err);
	return 0;
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* The first component of @path that begins with ".wh.", or NULL. */
static char *find_mark(char *path)
{
	for (char *name = path, *slash; name; name = slash ? slash + 1 : NULL) {
		slash = strchr(name, '/');
		if (begins(name, WHITEOUT))
			return name;
	}
	return NULL;
}

/* ".wh..wh.aufs" and what is below such a name, but not ".wh..wh..opq". */
static bool is_note(const char *mark)
{
	size_t len = strcspn(mark, "/");

	return begins(mark, TREE_NOTE) && (len != strlen(OPAQUE) || !begins(mark, OPAQUE));
}

/* Names that begin with ".wh." say what is no longer there. @name is the last component. */
static int take_whiteout(struct reading *reading, char *name, struct err *err)
{
	char *hidden = name + strlen(WHITEOUT);
	enum entry_kind kind = ENTRY_WHITEOUT;

	if (strcmp(name, OPAQUE) == 0) {
		kind = ENTRY_OPAQUE;
		*(name > reading->path ? name - 1 : name) = 0;
	} else {
		if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
			return err_set(err, "a whiteout of no name");
		memmove(name, hidden, strlen(hidden) + 1);
	}
	return add_entry(reading->layer, kind, reading->path) ? 0 : no_room(reading->layer, err);
}

static int take_named(struct reading *reading, const struct tar_entry *from, struct err *err)
{
	if (from->type == TAR_HARDLINK)
		return take_hardlink(reading, from, err);
	return take_inode(reading, from, err);
}

/*
 * Aufs keeps notes among the files, and its layers have them: none is a file of the image,
 * but those below ".wh..wh.plnk" are what hard links of the layer name as their target.
 */
static int take_note(struct reading *reading, const struct tar_entry *from, const char *note,
		     struct err *err)
{
	struct layer *layer = reading->layer;
	size_t count = layer->count;

	reading->notes++;
	if (!begins(note, PSEUDO_LINKS "/") ||
	    (from->type != TAR_FILE && from->type != TAR_HARDLINK))
		return 0;
	if (take_named(reading, from, err) < 0)
		return -1;
	layer->entry[count].hidden = true;
	return 0;
}

static int take_entry(struct reading *reading, const struct tar_entry *from, struct err *err)
{
	char *mark;

	if (path_of_entry(from->path, reading->path, err) < 0)
		return -1;
	if (builder_test_hook)
		builder_test_hook(reading->path);
	if (!*reading->path && from->type != TAR_DIRECTORY)
		return err_set(err, "an empty name");
	if (reading->layer->count >= reading->limits->max_entries)
		return err_set(err, "more than %zu files (firn.conf's [build] max-entries)",
			       reading->limits->max_entries);
	mark = find_mark(reading->path);
	if (mark && reading->layer->is_root) {
		reading->marks++;
		mark = NULL;
	}
	if (!mark)
		return take_named(reading, from, err);
	if (is_note(mark))
		return take_note(reading, from, mark, err);
	if (strchr(mark, '/'))
		return err_set(err, "a name below a whiteout");
	return take_whiteout(reading, mark, err);
}

/* Behind the archive's end anything may follow; it belongs to the sums. */
static int drain(struct reading *reading, struct stream *stream, struct err *err)
{
	ssize_t n;

	do
		n = stream->read(stream, reading->buffer, COPY_SIZE, err);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

static int read_all(struct reading *reading, struct stream *stream, struct err *err)
{
	struct tar_entry entry;
	int result;

	while ((result = tar_next(reading->tar, &entry, err)) > 0) {
		if (take_entry(reading, &entry, err) < 0) {
			auto_free char *name = strndup(entry.path, 200);

			return err_is_full(err) ? -1 : err_aim(err, "entry '%s'", name ? name : "");
		}
	}
	/* With a sum to compare with, nothing can be missing. */
	if (result == 0 && tar_is_cut(reading->tar) && !reading->layer->diff_id.text[0])
		log_warning("%s: has no end; its last file is whole, but whether there were more "
			    "is not known",
			    reading->layer->name);
	if (result == 0 && reading->layer->is_root && reading->layer->count == 0)
		return err_set(err, "no file is in it, only zeros");
	return result < 0 ? -1 : drain(reading, stream, err);
}

int layer_read(struct layer *layer, struct stream *raw, int fd, uint64_t offset,
	       struct spool *spool, const struct limits *limits, struct err *err)
{
	struct reading reading = {.layer = layer, .limits = limits};
	auto_stream *stream = NULL;
	auto_tar *tar = NULL;
	auto_free char *buffer = malloc(COPY_SIZE);
	int result;

	reading.buffer = buffer;
	if (!layer->board)
		layer->board = &layer->own;
	layer->fd = fd;
	layer->fd_offset = offset;
	layer->arena.budget = limits->memory;
	atomic_store(&layer->board->state, BOARD_READING);
	if (open_chain(layer, raw, limits, &stream, err) < 0)
		return err_aim(err, "%s", layer->name);
	if (!buffer)
		return err_sys(err, "cannot read a layer");
	reading.stays = layer_keeps_file(layer);
	if (tar_open(stream, &tar, err) < 0 ||
	    (!reading.stays && spool_stream_new(spool, &layer->spool, err) < 0))
		return -1;
	reading.tar = tar;
	result = read_all(&reading, stream, err);
	if (result == 0 && layer->spool)
		result = spool_flush(layer->spool, err);
	if (result < 0)
		return err_is_full(err) ? -1 : err_aim(err, "%s", layer->name);
	if (reading.notes > 0)
		log_info("%s: %zu notes of aufs are left out", layer->name, reading.notes);
	if (reading.marks > 0)
		log_warning("%s: %zu names begin with '" WHITEOUT "'; they are kept as files, as "
			    "there is no layer below that they could hide something of",
			    layer->name, reading.marks);
	if (layer->dropped_xattrs > 0)
		log_info("%s: %zu extended attributes other than user.* are left out", layer->name,
			 layer->dropped_xattrs);
	atomic_store(&layer->board->state, BOARD_READY);
	return 0;
}

bool layer_keeps_file(const struct layer *layer)
{
	return layer->fd >= 0 && layer->compression && strcmp(layer->compression, "none") == 0;
}

/* Field by field: the progress looks at some of them meanwhile. */
void layer_restart(struct layer *layer)
{
	arena_free(&layer->arena);
	budget_give(layer->arena.budget, layer->room * sizeof(*layer->entry));
	free(take_ptr(&layer->entry));
	layer->count = layer->room = 0;
	spool_stream_free(take_ptr(&layer->spool));
	layer->fd = -1;
	layer->data_size = 0;
	layer->dropped_xattrs = 0;
	atomic_store(&layer->board->done, 0);
	atomic_store(&layer->board->state, BOARD_WAITING);
}

void layer_clear(struct layer *layer)
{
	arena_free(&layer->arena);
	free(layer->entry);
	spool_stream_free(layer->spool);
	*layer = (struct layer){.fd = -1};
}
