/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/archive.h"

#include "builder/inflate.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { MEMBERS_MAX = 100000, LINKS_MAX = 8, COPY_SIZE = 256 << 10 };

struct archive {
	int fd;
	struct tree *tree; /* members by name: an inode with its place, or a link with its target */
};

int archive_fd(const struct archive *archive)
{
	return archive->fd;
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	own_close(&archive->fd);
	tree_free(archive->tree);
	free(archive);
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
		(void)snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - from), from, target);
	for (char *save = NULL, *part = strtok_r(joined, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (strcmp(part, "..") == 0 && count > 0)
			count--;
		else if (strcmp(part, ".") != 0 && strcmp(part, "..") != 0 && count < COUNT_OF(parts))
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

		if (!child)
			child = tree_add(archive->tree, node, at, len, err);
		if (!child)
			return -1;
		node = child;
		at += len + (at[len] == '/');
	}
	node->inode = tree_inode(archive->tree, from->type == TAR_SYMLINK ? S_IFLNK : S_IFREG);
	if (!node->inode || (link && !(node->inode->target = arena_string(&archive->tree->arena, from->link))))
		return arena_fail(&archive->tree->arena, "cannot read the archive", err);
	node->inode->size = from->stored;
	node->inode->data.offset = tar_position(tar);
	return 0;
}

static int list_members(struct archive *archive, const char *path, const struct limits *limits,
			struct err *err)
{
	auto_stream *stream = NULL;
	auto_tar *tar = NULL;
	struct tar_entry entry;
	struct stat stat;
	int result;

	if (fstat(archive->fd, &stat) < 0)
		return err_sys(err, "cannot read '%s'", path);
	if (tree_new(MEMBERS_MAX, limits->memory, &archive->tree, err) < 0 ||
	    stream_open_file(archive->fd, false, 0, (uint64_t)stat.st_size, path, &stream, err) < 0 ||
	    tar_open(stream, &tar, err) < 0)
		return -1;
	while ((result = tar_next(tar, &entry, err)) > 0)
		if (add_member(archive, tar, &entry, err) < 0)
			return -1;
	return result;
}

/* The whole archive, @packed bytes, without its compression, to a file without a name. */
static int unpack(struct archive *archive, struct stream *stream, uint64_t packed,
		  const struct limits *limits, struct err *err)
{
	const char *folder = getenv("TMPDIR");
	auto_fd fd = open(folder && *folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	auto_free char *buffer = malloc(COPY_SIZE);
	uint64_t size = 0;
	ssize_t n;

	if (fd < 0)
		fd = memfd_create("firn-archive", MFD_CLOEXEC);
	if (fd < 0 || !buffer)
		return err_sys(err, "cannot make a temporary file");
	while ((n = stream->read(stream, buffer, COPY_SIZE, err)) > 0) {
		size += (uint64_t)n;
		if (size > limits->max_size)
			return err_set(err, "unpacks to more than firn.conf's [build] max-size");
		if (size > LIMIT_RATIO_FROM && size / limits->max_ratio > packed)
			return err_set(err, "unpacks to more than firn.conf's [build] max-ratio allows");
		for (ssize_t done = 0, part; done < n; done += part) {
			part = write(fd, buffer + done, (size_t)(n - done));
			if (part < 0)
				return err_sys(err, "cannot write a temporary file; set TMPDIR to a directory with room");
		}
	}
	if (n < 0)
		return -1;
	(void)close(archive->fd);
	archive->fd = take_fd(&fd);
	return 0;
}

static int read_archive(struct archive *archive, const char *path, const struct limits *limits,
			struct err *err)
{
	auto_stream *stream = NULL;
	const char *kind;
	struct stat stat;

	archive->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (archive->fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	if (fstat(archive->fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return err_set(err, "'%s' is no regular file", path);
	if (stream_open_file(archive->fd, false, 0, (uint64_t)stat.st_size, path, &stream, err) < 0 ||
	    inflate_open(stream, &stream, &kind, err) < 0) {
		stream = NULL; /* taken over in any case */
		return -1;
	}
	if (strcmp(kind, "none") != 0 && unpack(archive, stream, (uint64_t)stat.st_size, limits, err) < 0)
		return -1;
	return list_members(archive, path, limits, err);
}

int archive_open(const char *path, const struct limits *limits, struct archive **out, struct err *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return err_sys(err, "cannot open '%s'", path);
	archive->fd = -1;
	if (read_archive(archive, path, limits, err) < 0) {
		archive_free(archive);
		return err_aim(err, "archive '%s'", path);
	}
	*out = archive;
	return 0;
}
