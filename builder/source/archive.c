/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/archive.h"

#include "builder/source/manifest.h"
#include "builder/squash/spool.h"
#include "builder/tar/inflate.h"
#include "lib/file.h"

#include <inttypes.h>

enum { MEMBERS_MAX = 100000, LINKS_MAX = 8, COPY_SIZE = 256 << 10 };

struct archive {
	struct input *input;
	struct tree *tree; /* members by name: an inode with its place, or a link with its target */
	bool is_full;	   /* there are more of them */
};

const struct input *archive_input(const struct archive *archive)
{
	return archive->input;
}

int archive_check_whole(const struct archive *archive, struct err *err)
{
	return archive->is_full
		       ? err_set(err, "'%s' is no image's archive: it has more than %d members",
				 archive->input->name, MEMBERS_MAX)
		       : 0;
}

struct input *archive_take_input(struct archive *archive)
{
	return take_ptr(&archive->input);
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	input_free(archive->input);
	tree_free(archive->tree);
	free(archive);
}

void archive_freep(struct archive **archive)
{
	archive_free(*archive);
}

/* "layer.tar -> ../other/layer.tar", as docker save links equal layers. */
static int resolve(const char *from, const char *target, char *out)
{
	char joined[2 * TREE_PATH_MAX + 2], *parts[TREE_PATH_MAX / 2 + 2];
	size_t count = 0, used = 0;
	const char *slash = strrchr(from, '/');

	if (*target == '/' || !slash)
		(void)snprintf(joined, sizeof(joined), "%s", target);
	else
		(void)snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - from), from,
			       target);
	for (char *save = NULL, *part = strtok_r(joined, "/", &save); part;
	     part = strtok_r(NULL, "/", &save)) {
		if (strcmp(part, "..") == 0 && count > 0)
			count--;
		else if (strcmp(part, ".") != 0 && strcmp(part, "..") != 0 &&
			 count < COUNT_OF(parts))
			parts[count++] = part;
	}
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(parts[i]);

		if (used + len + 1 > TREE_PATH_MAX)
			return -1;
		if (i > 0)
			out[used++] = '/';
		memcpy(out + used, parts[i], len);
		used += len;
	}
	out[used] = 0;
	return 0;
}

bool archive_find(const struct archive *archive, const char *name, uint64_t *offset, uint64_t *size)
{
	char path[TREE_PATH_MAX + 1], next[TREE_PATH_MAX + 1];
	struct err ignored;

	if (path_of_entry(name, path, &ignored) < 0)
		return false;
	for (int i = 0; i < LINKS_MAX; i++) {
		const struct node *node = tree_find(archive->tree, path);

		if (!node || !node->inode)
			return false;
		if (!node->inode->target) {
			*offset = node->inode->data.offset;
			*size = node->inode->size;
			return S_ISREG(node->inode->mode);
		}
		if (resolve(S_ISLNK(node->inode->mode) ? path : "", node->inode->target, next) < 0)
			return false;
		memcpy(path, next, sizeof(path));
	}
	return false;
}

static int add_member(struct archive *archive, const struct tar *tar, const struct tar_entry *from,
		      struct err *err)
{
	struct node *node = archive->tree->root;
	char path[TREE_PATH_MAX + 1];
	bool link = from->type == TAR_SYMLINK || from->type == TAR_HARDLINK;

	if ((from->type != TAR_FILE && !link) || from->segment)
		return 0;
	if (path_of_entry(from->path, path, err) < 0)
		return err_aim(err, "member '%.200s'", from->path);
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");
		struct node *child = tree_child(archive->tree, node, at, len);

		archive->is_full = !child && archive->tree->count >= MEMBERS_MAX;
		if (archive->is_full)
			return 0;
		if (!child)
			child = tree_add(archive->tree, node, at, len, err);
		if (!child)
			return -1;
		node = child;
		at += len + (at[len] == '/');
	}
	node->inode = tree_inode(archive->tree, from->type == TAR_SYMLINK ? S_IFLNK : S_IFREG);
	if (!node->inode ||
	    (link && !(node->inode->target = arena_string(&archive->tree->arena, from->link))))
		return arena_fail(&archive->tree->arena, "cannot read the archive", err);
	node->inode->size = from->stored;
	node->inode->data.offset = tar_position(tar);
	return 0;
}

int archive_read(const struct archive *archive, const char *name, char **text, size_t *out_size,
		 struct err *err)
{
	auto_stream *stream = NULL;
	auto_free char *data = NULL;
	const char *path = archive->input->name;
	uint64_t offset, size;

	if (!archive_find(archive, name, &offset, &size))
		return err_set(err, "'%s' has no '%s'", path, name);
	if (size > DOCUMENT_MAX)
		return err_set(err, "'%s' of '%s' is %" PRIu64 " bytes long, more than %d", name,
			       path, size, DOCUMENT_MAX);
	if (stream_open_file(archive->input->fd, false, offset, size, name, &stream, err) < 0)
		return -1;
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read '%s'", name);
	if (stream_fill(stream, data, (size_t)size, err) < 0)
		return -1;
	data[size] = 0;
	*out_size = (size_t)size;
	*text = take_ptr(&data);
	return 0;
}

static int list_members(struct archive *archive, const struct limits *limits, struct err *err)
{
	const struct input *input = archive->input;
	auto_stream *stream = NULL;
	auto_tar *tar = NULL;
	struct tar_entry entry;
	int result = 1;

	if (tree_new(MEMBERS_MAX, limits->memory, &archive->tree, err) < 0 ||
	    stream_open_file(input->fd, false, 0, input->size, input->name, &stream, err) < 0 ||
	    tar_open(stream, &tar, err) < 0)
		return -1;
	while (!archive->is_full && (result = tar_next(tar, &entry, err)) > 0)
		if (add_member(archive, tar, &entry, err) < 0)
			return -1;
	return result < 0 ? -1 : 0;
}

/* Write what @stream gives, for @packed bytes, to @fd. */
static int copy(struct stream *stream, int fd, uint64_t packed, const struct limits *limits,
		uint64_t *size, struct err *err)
{
	auto_free char *buffer = malloc(COPY_SIZE);
	ssize_t n;

	if (!buffer)
		return err_sys(err, "cannot unpack");
	while ((n = stream->read(stream, buffer, COPY_SIZE, err)) > 0) {
		*size += (uint64_t)n;
		if (*size > limits->max_size)
			return err_set(err, "unpacks to more than firn.conf's [build] max-size");
		if (*size > LIMIT_RATIO_FROM && *size / limits->max_ratio > packed)
			return err_set(err,
				       "unpacks to more than firn.conf's [build] max-ratio allows");
		if (file_write_all(fd, buffer, (size_t)n) < 0)
			return spool_fail(errno, err);
	}
	return n < 0 ? -1 : 0;
}

/* If the whole archive is compressed, put it without that into a file without a name. */
static int unpack(struct input *input, const struct limits *limits, struct err *err)
{
	auto_stream *stream = NULL;
	auto_fd fd = -1;
	const char *kind;
	uint64_t size = 0;

	if (stream_open_file(input->fd, false, 0, input->size, input->name, &stream, err) < 0 ||
	    inflate_open(stream, &stream, &kind, err) < 0) {
		stream = NULL; /* taken over in any case */
		return -1;
	}
	if (strcmp(kind, "none") == 0)
		return 0;
	fd = take_fd(&input->room);
	if (fd < 0)
		return err_set(err, "there is no room to unpack it");
	if (copy(stream, fd, input->size, limits, &size, err) < 0)
		return -1;
	(void)close(input->fd);
	input->fd = take_fd(&fd);
	input->size = size;
	return 0;
}

int archive_open(struct input *input, const struct limits *limits, struct archive **out,
		 struct err *err)
{
	auto_archive *archive = calloc(1, sizeof(*archive));

	if (!archive) {
		input_free(input);
		return err_code(err, ENOMEM, "cannot read an archive");
	}
	archive->input = input;
	if (unpack(input, limits, err) < 0 || list_members(archive, limits, err) < 0)
		return err_aim(err, "archive '%s'", input->name);
	*out = take_ptr(&archive);
	return 0;
}
