/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Many threads, each with its own reader, share one image whose caches are far
 * too small: every byte is still right. Worth running under -fsanitize=thread.
 */
#include "lib/squashfs/squashfs.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

enum { THREADS = 8, ROUNDS = 3, FILES = 200, READ_SIZE = 150000, LARGE = 3 << 20 };

struct thread {
	pthread_t id;
	struct squashfs *image;
	unsigned number, wrong;
};

static void file_name(char *name, size_t size, unsigned number)
{
	(void)snprintf(name, size, "file%03u", number);
}

static size_t file_size(unsigned number)
{
	return number == 0 ? LARGE : number * 997;
}

/* What a file holds, read once from the source. */
static char *contents[FILES];

static bool is_right(struct squashfs_reader *reader, unsigned number, unsigned round)
{
	size_t size = file_size(number), offset = round * 31013u % (size + 1);
	auto_free char *got = malloc(READ_SIZE);
	struct squashfs_inode inode;
	struct err err;
	char name[16];
	size_t there = size - offset < READ_SIZE ? size - offset : READ_SIZE;

	file_name(name, sizeof(name), number);
	return squashfs_resolve(reader, name, &inode, &err) == 1 && inode.size == size &&
	       squashfs_pread(reader, &inode, got, READ_SIZE, offset, &err) == (ssize_t)there &&
	       memcmp(got, contents[number] + offset, there) == 0;
}

static void *run(void *arg)
{
	struct thread *thread = arg;
	auto_squashfs_reader *reader = NULL;
	struct err err;

	if (squashfs_reader_new(thread->image, &reader, &err) < 0) {
		thread->wrong++;
		return NULL;
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < FILES; i++) {
			/* Two threads walk together, the others elsewhere. */
			unsigned number = (i + thread->number / 2 * 37) % FILES;

			if (!is_right(reader, number, round) || !is_right(reader, 0, i + round * 7))
				thread->wrong++;
		}
	return NULL;
}

static void threads_read_what_is_there(const char *options, size_t cache)
{
	auto_opened opened = {.fd = -1};
	struct thread threads[THREADS];
	unsigned wrong = 0;
	struct err err;

	make_image("tree", "image", options);
	if (opened_begin(&opened, "image", 0, cache, &err) < 0)
		bail("%s", err.text);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){.image = opened.image, .number = i};
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
			bail("cannot make a thread");
	}
	for (unsigned i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i].id, NULL);
		wrong += threads[i].wrong;
	}
	ok(wrong == 0, "%d threads read the same with a cache of %zu bytes (%s)", THREADS, cache,
	   options);
}

static void make_tree(void)
{
	char name[16], path[32];

	make_dir("tree");
	for (unsigned i = 0; i < FILES; i++) {
		size_t size = file_size(i);
		auto_fd fd = -1;

		file_name(name, sizeof(name), i);
		(void)snprintf(path, sizeof(path), "tree/%s", name);
		make_file(path, CONTENT_MIXED, size, i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		contents[i] = malloc(size + 1);
		if (!contents[i] || pread(fd, contents[i], size, 0) != (ssize_t)size)
			bail("cannot read '%s'", path);
	}
}

int main(void)
{
	if (!have_mksquashfs()) {
		printf("1..0 # SKIP mksquashfs (package squashfs-tools) is not installed\n");
		return 0;
	}
	scratch_begin();
	make_tree();
	threads_read_what_is_there("-comp zstd -b 4K", 1);
	threads_read_what_is_there("-comp lz4 -b 16K", 256 << 10);
	threads_read_what_is_there("-comp gzip -b 128K", 0);
	for (unsigned i = 0; i < FILES; i++)
		free(contents[i]);
	scratch_end();
	return done_testing();
}
