/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * treehash DIR [SKIP...]: list a tree so that two views of it can be compared.
 *
 * One line an entry, in byte order of the paths: type and mode, link count of
 * files, size, mtime, device number, a hash of the content (files, link targets)
 * and one of the user.* and security.* attributes. Paths in SKIP, below DIR, are
 * left out with all below them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static char **skips;
static int failures;

/* FNV-1a: to tell views apart, not to resist anyone. */
static uint64_t hash(uint64_t state, const void *bytes, size_t size)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i++)
		state = (state ^ b[i]) * 0x100000001b3ull;
	return state;
}

#define HASH_BEGIN 0xcbf29ce484222325ull

static uint64_t complain(const char *path)
{
	fprintf(stderr, "treehash: %s: %s\n", path, strerror(errno));
	failures++;
	return 0;
}

static uint64_t hash_file(const char *path)
{
	static char buffer[1 << 17];
	uint64_t state = HASH_BEGIN;
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return complain(path);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		state = hash(state, buffer, (size_t)got);
	if (got < 0)
		state = complain(path);
	(void)close(fd);
	return state;
}

static uint64_t hash_link(const char *path)
{
	char target[65536];
	ssize_t len = readlink(path, target, sizeof(target));

	return len < 0 ? complain(path) : hash(HASH_BEGIN, target, (size_t)len);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint64_t hash_xattrs(const char *path)
{
	static char list[65536], value[65536];
	char *name[1024];
	uint64_t state = HASH_BEGIN;
	ssize_t size = llistxattr(path, list, sizeof(list));
	size_t count = 0;

	for (char *at = list; size > 0 && at < list + size && count < 1024; at += strlen(at) + 1)
		if (strncmp(at, "user.", 5) == 0 || strncmp(at, "security.", 9) == 0)
			name[count++] = at;
	qsort(name, count, sizeof(name[0]), compare);
	for (size_t i = 0; i < count; i++) {
		ssize_t len = lgetxattr(path, name[i], value, sizeof(value));

		state = hash(state, name[i], strlen(name[i]) + 1);
		state = len < 0 ? complain(path) : hash(state, value, (size_t)len);
	}
	return count ? state : 0;
}

static int is_skipped(const char *path)
{
	for (char **skip = skips; *skip; skip++)
		if (strcmp(*skip, path) == 0)
			return 1;
	return 0;
}

static void list_tree(const char *path, const char *shown);

static void list_dir(const char *path, const char *shown)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char **name = NULL;
	size_t count = 0;

	if (!dir) {
		(void)complain(path);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		name = reallocarray(name, count + 1, sizeof(*name));
		if (!name || !(name[count++] = strdup(entry->d_name)))
			abort();
	}
	(void)closedir(dir);
	if (count > 0)
		qsort(name, count, sizeof(*name), compare);
	for (size_t i = 0; i < count; i++) {
		char *below, *below_shown;

		if (asprintf(&below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name[i]) < 0 ||
		    asprintf(&below_shown, "%s/%s", shown, name[i]) < 0)
			abort();
		list_tree(below, below_shown);
		free(below);
		free(below_shown);
		free(name[i]);
	}
	free(name);
}

static void list_tree(const char *path, const char *shown)
{
	struct stat stat;
	uint64_t content = 0;
	int is_dir;

	if (is_skipped(shown))
		return;
	if (lstat(path, &stat) < 0) {
		(void)complain(path);
		return;
	}
	is_dir = S_ISDIR(stat.st_mode);
	if (S_ISREG(stat.st_mode))
		content = hash_file(path);
	if (S_ISLNK(stat.st_mode))
		content = hash_link(path);
	printf("%06o %lu %lld %lld %u:%u %016llx %016llx %s\n", stat.st_mode,
	       is_dir ? 0ul : (unsigned long)stat.st_nlink, is_dir ? 0ll : (long long)stat.st_size,
	       (long long)stat.st_mtime,
	       S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode) ? major(stat.st_rdev) : 0,
	       S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode) ? minor(stat.st_rdev) : 0,
	       (unsigned long long)content, (unsigned long long)hash_xattrs(path), shown);
	if (is_dir)
		list_dir(path, shown);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: treehash DIR [SKIP...]\n");
		return 2;
	}
	skips = argv + 2;
	list_tree(argv[1], "");
	return failures ? 1 : 0;
}
