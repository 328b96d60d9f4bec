/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/input.h"

#include "builder/squash/spool.h"
#include "lib/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

enum { COPY_SIZE = 256 << 10 };

void input_free(struct input *input)
{
	if (!input)
		return;
	own_close(&input->fd);
	own_close(&input->room);
	free(input->name);
	free(input);
}

void input_freep(struct input **input)
{
	input_free(*input);
}

bool input_is_standard(const char *path)
{
	static const char *const names[] = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

static bool is_there(const char *path)
{
	struct stat stat;

	return strcmp(path, "-") == 0 || lstat(path, &stat) == 0;
}

char *input_split(const char *text, const char **name)
{
	char *path = strdup(text);

	*name = NULL;
	if (!path || is_there(path))
		return path;
	for (char *colon = path; (colon = strchr(colon, ':')); *colon++ = ':') {
		*colon = 0;
		if (*path && is_there(path)) {
			*name = text + (colon + 1 - path);
			break;
		}
	}
	return path;
}

/* @fd is taken over. */
static struct input *new_input(int fd, const char *name)
{
	struct input *input = calloc(1, sizeof(*input));

	if (!input || !(input->name = strdup(name))) {
		free(input);
		(void)close(fd);
		return NULL;
	}
	input->fd = fd;
	input->room = -1;
	return input;
}

static int copy(int from, struct input *to, const struct limits *limits, struct err *err)
{
	auto_free char *buffer = malloc(COPY_SIZE);

	if (!buffer)
		return err_sys(err, "cannot read %s", to->name);
	for (;;) {
		ssize_t n = read(from, buffer, COPY_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot read %s", to->name);
		if (n == 0)
			return 0;
		to->size += (uint64_t)n;
		if (to->size > limits->max_size)
			return err_set(err,
				       "%s gives more than %" PRIu64
				       " bytes (firn.conf's [build] max-size)",
				       to->name, limits->max_size);
		if (file_write_all(to->fd, buffer, (size_t)n) < 0)
			return spool_fail(errno, err);
	}
}

int input_spool(int fd, const char *name, const struct limits *limits, struct input **out,
		struct err *err)
{
	auto_input *input = NULL;
	int file = spool_unnamed(err);

	if (file < 0)
		return -1;
	input = new_input(file, name);
	if (!input)
		return err_sys(err, "cannot read %s", name);
	if (copy(fd, input, limits, err) < 0)
		return -1;
	*out = take_ptr(&input);
	return 0;
}

/* Somebody has read the beginning, which is then no part of what is left. */
static bool is_begun(int fd)
{
	return lseek(fd, 0, SEEK_CUR) > 0;
}

/* Standard input as it is: opened anew it could be refused (a socket) or begin elsewhere (a file).
 */
static int open_fd(const char *path)
{
	if (input_is_standard(path))
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

int input_open(const char *path, const struct limits *limits, struct input **out, struct err *err)
{
	bool standard = input_is_standard(path);
	const char *name = standard ? "standard input" : path;
	auto_fd fd = open_fd(path);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot open '%s'", name);
	if (S_ISREG(stat.st_mode) && standard && is_begun(fd))
		return input_spool(fd, name, limits, out, err);
	if (S_ISREG(stat.st_mode)) {
		*out = new_input(take_fd(&fd), name);
		if (!*out)
			return err_sys(err, "cannot open '%s'", name);
		(*out)->size = (uint64_t)stat.st_size;
		return 0;
	}
	if (S_ISDIR(stat.st_mode))
		return err_set(err, "'%s' is a directory, no archive; use dir:%s or oci:%s", name,
			       path, path);
	if (standard && isatty(fd))
		return err_set(err, "standard input is a terminal; pipe an archive into it");
	if (!S_ISFIFO(stat.st_mode) && !S_ISSOCK(stat.st_mode))
		return err_set(err, "'%s' is no regular file and no pipe", name);
	return input_spool(fd, name, limits, out, err);
}
