/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/topology.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/firn-topology.XXXXXX";
static struct err err;

static int drop(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
	(void)stat;
	(void)kind;
	return ftw->level > 0 ? remove(path) : 0;
}

/* An image directory with these files, which stand apart by blanks; @cache is its ld.so.cache, if
 * any. */
static bool readable(const char *files, const void *cache, size_t size)
{
	struct conf *conf = conf_new();
	auto_image *image = NULL;
	auto_content *content = NULL;
	char command[PATH_MAX];
	bool result = false;

	(void)nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
	for (const char *file = files; *file;) {
		size_t len = strcspn(file, " ");

		for (size_t at = 1; at <= len; at++) {
			if (at < len && file[at] != '/')
				continue;
			(void)snprintf(command, sizeof(command), "%s%.*s", root, (int)at, file);
			if (at < len)
				(void)mkdir(command, 0755);
			else
				(void)close(open(command, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		}
		file += len + strspn(file + len, " ");
	}
	if (cache) {
		(void)snprintf(command, sizeof(command), "%s/etc", root);
		(void)mkdir(command, 0755);
		(void)snprintf(command, sizeof(command), "%s/etc/ld.so.cache", root);
		auto_fd fd = open(command, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (write(fd, cache, size) != (ssize_t)size)
			ok(false, "the test can write its file");
	}
	if (image_open(root, false, &image, &err) == 0 &&
	    content_open(image, conf, &content, &err) == 0)
		result = topology_is_readable(content);
	conf_free(conf);
	return result;
}

/* A cache with one name. */
static bool cached(const char *name)
{
	static char text[128];
	uint32_t one = 1, at = 72;

	memset(text, 0, sizeof(text));
	memcpy(text, "glibc-ld.so.cache1.1", 20);
	memcpy(text + 20, &one, 4);
	memcpy(text + 52, &at, 4);
	(void)snprintf(text + 72, sizeof(text) - 72, "%s", name);
	return readable("/usr/lib/libhwloc.so.15", text, 72 + strlen(name) + 1);
}

int main(void)
{
	ok(mkdtemp(root) != NULL, "a folder");
	ok(readable("/usr/lib/libhwloc.so.15", NULL, 0), "hwloc 2 in a usual directory");
	ok(readable("/usr/local/lib/libhwloc.so.16", NULL, 0), "or a later one");
	ok(!readable("/usr/lib/libc.so.6", NULL, 0), "an image without hwloc");
	ok(!readable("/usr/lib/libhwloc.so.5", NULL, 0), "hwloc 1 cannot read it");
	ok(!readable("/usr/lib64/libhwloc.so.5 /usr/lib/libhwloc.so.15", NULL, 0),
	   "and may be the one that is used");
	ok(cached("libhwloc.so.15"), "the linker's cache says the same");
	ok(cached("libhwloc.so.17.1.0"), "or a later one");
	ok(!cached("libhwloc.so.5"), "hwloc 1 there");
	ok(!cached("libhwloc.so.") && !cached("libhwloc.so.x") && !cached("libhwlocs.so.15"),
	   "other names do not count");
	ok(!cached("libm.so.6"), "what the cache does not have, programs do not find");
	ok(readable("/usr/lib/libhwloc.so.15", "garbage", 7),
	   "a cache that is none is passed over");
	(void)nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
	(void)rmdir(root);
	return done_testing();
}
