/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "tests/unit/squashfs_make.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ARGS_MAX = 40 };

static char scratch[4096];

void bail(const char *format, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(99);
}

void scratch_begin(void)
{
	const char *above = getenv("TMPDIR");

	/* Not /tmp: a tmpfs there may not take extended attributes. */
	(void)snprintf(scratch, sizeof(scratch), "%s/firn-squashfs.XXXXXX",
		       above ? above : "/var/tmp");
	if (!mkdtemp(scratch) || chdir(scratch) < 0)
		bail("cannot make '%s': %s", scratch, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_end(void)
{
	if (chdir("/") < 0)
		bail("cannot leave '%s'", scratch);
	(void)nftw(scratch, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

void make_file(const char *path, enum content content, size_t size, unsigned seed)
{
	auto_free char *bytes = malloc(size + 1);
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	unsigned state = seed;

	if (fd < 0 || !bytes)
		bail("cannot make '%s'", path);
	for (size_t i = 0; i < size; i++) {
		bool noise = content == CONTENT_NOISE || (content == CONTENT_MIXED && i >> 10 & 1);

		bytes[i] = noise ? (char)next_random(&state)
				 : "squashed fish, frozen firn\n"[(i + seed) % 27];
	}
	if (write(fd, bytes, size) != (ssize_t)size)
		bail("cannot write '%s'", path);
}

void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0)
		bail("cannot make '%s': %s", path, strerror(errno));
}

static const char *mksquashfs(void)
{
	static const char *const paths[] = {"/usr/bin/mksquashfs", "/usr/sbin/mksquashfs",
					    "/usr/local/bin/mksquashfs"};

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

bool have_mksquashfs(void)
{
	return mksquashfs() != NULL;
}

void make_image(const char *source, const char *out, const char *options)
{
	auto_free char *words = strdup(options);
	const char *args[ARGS_MAX] = {"mksquashfs",   source,	     out, "-noappend",
				      "-no-progress", "-processors", "2"};
	size_t count = 7;
	posix_spawn_file_actions_t files;
	char *rest = NULL;
	int status;
	pid_t pid;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		args[count++] = word;
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, 1, "mksquashfs.log",
					       O_WRONLY | O_CREAT | O_TRUNC, 0644);
	(void)posix_spawn_file_actions_adddup2(&files, 1, 2);
	if (posix_spawn(&pid, mksquashfs(), &files, NULL, (char **)args, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		bail("mksquashfs %s failed", options);
	(void)posix_spawn_file_actions_destroy(&files);
}

int opened_begin(struct opened *opened, const char *path, uint64_t offset, size_t cache,
		 struct err *err)
{
	const struct squashfs_options options = {cache, cache};
	struct stat st;

	*opened = (struct opened){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (opened->fd < 0 || fstat(opened->fd, &st) < 0)
		bail("cannot open '%s'", path);
	if (squashfs_open(opened->fd, offset, (uint64_t)st.st_size - offset, path, &options,
			  &opened->image, err) < 0)
		return -1;
	return squashfs_reader_new(opened->image, &opened->reader, err);
}

void opened_end(struct opened *opened)
{
	squashfs_reader_free(opened->reader);
	squashfs_close(opened->image);
	own_close(&opened->fd);
}
