/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/file.h"

#include "lib/own.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { FIRST_ROOM = 4096 }; /* of a file that does not tell its size, as those of /proc */

static ssize_t read_some(int fd, char *to, size_t size)
{
	ssize_t got;

	do
		got = read(fd, to, size);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Make room for more, with one byte left for the NUL. Returns 0 or -1 with errno. */
static int grow(char **text, size_t *room)
{
	size_t wanted = *room > SIZE_MAX / 2 ? 0 : 2 * *room;
	char *grown = wanted ? realloc(*text, wanted) : NULL;

	if (!grown)
		return -1;
	*text = grown;
	*room = wanted;
	return 0;
}

/*
 * Up to the @told bytes that the file had when it was looked at: to ask for the end behind
 * them would be one more system call, each time. A file that tells 0 is read to its end.
 */
static ssize_t read_whole(int fd, size_t told, size_t limit, char **text)
{
	size_t room = told > 0 ? told + 1 : FIRST_ROOM;
	size_t size = 0;

	*text = malloc(room);
	if (!*text)
		return -1;
	while (told == 0 || size < told) {
		ssize_t got = read_some(fd, *text + size, room - 1 - size);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > limit)
			break;
		if (size + 1 == room && size != told && grow(text, &room) < 0)
			return -1;
	}
	(*text)[size] = '\0';
	return (ssize_t)size;
}

/* All that @fd gives, where @told says how much that is, or 0. */
static int take_whole(int fd, const char *name, size_t told, size_t limit, char **text,
		      size_t *size, struct err *err)
{
	auto_free char *whole = NULL;
	ssize_t got = read_whole(fd, told, limit, &whole);

	if (got < 0)
		return err_sys(err, "cannot read '%s'", name);
	if ((size_t)got > limit)
		return err_set(err, "'%s' is larger than %zu bytes", name, limit);
	*size = (size_t)got;
	*text = take_ptr(&whole);
	return 0;
}

int file_read_fd(int fd, const char *name, size_t limit, char **text, size_t *size,
		 struct err *err)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return err_sys(err, "cannot read '%s'", name);
	if (!S_ISREG(stat.st_mode))
		return err_code(err, S_ISDIR(stat.st_mode) ? EISDIR : 0, "'%s' is no regular file",
				name);
	if ((uint64_t)stat.st_size > limit)
		return err_set(err, "'%s' is larger than %zu bytes", name, limit);
	return take_whole(fd, name, (size_t)stat.st_size, limit, text, size, err);
}

int file_read_stream(int fd, const char *name, size_t limit, char **text, size_t *size,
		     struct err *err)
{
	return take_whole(fd, name, 0, limit, text, size, err);
}

int file_read(int dirfd, const char *path, size_t limit, char **text, size_t *size,
	      struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, "cannot read '%s'", path);
	return file_read_fd(fd, path, limit, text, size, err);
}

ssize_t file_read_at(int fd, void *data, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int file_write_all(int fd, const void *data, size_t size)
{
	const char *from = data;

	while (size > 0) {
		ssize_t put = write(fd, from, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		from += put;
		size -= (size_t)put;
	}
	return 0;
}

int file_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *from = data;

	while (size > 0) {
		ssize_t put = pwrite(fd, from, size, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		from += put;
		offset += (uint64_t)put;
		size -= (size_t)put;
	}
	return 0;
}
