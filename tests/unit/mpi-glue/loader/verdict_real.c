/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Libraries of this machine and the real images, where they are: what verdict.h decides, beside
 * what the image's own loader says once the chosen ones stand in a folder before its own.
 * FIRN_TEST_ALL=1 has all libraries tried, not some.
 */
#include "mpi-glue/loader/verdict.h"

#include "lib/file.h"
#include "lib/words.h"
#include "mpi-glue/loader/ldcache.h"
#include "tests/unit/folder.h"
#include "tests/unit/mpi-glue/loader/loader.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIBRARIES = 60, CACHE_MAX = 8 << 20 };

static char injected[] = "/tmp/firn-injected-XXXXXX";
static int host_fd;
static struct err err;

static void note(void *arg, const char *name)
{
	if (!closure_is_libc(name) && words_add(arg, name) < 0)
		abort();
}

/* Have a folder of symlinks to what goes in, or would, if it were not refused. */
static void inject(const struct verdict_table *table)
{
	(void)folder_remove(injected);
	if (mkdir(injected, 0755) < 0)
		abort();
	for (size_t i = 0; i < table->count; i++) {
		const struct verdict_line *line = &table->line[i];
		char path[PATH_MAX];

		if (line->take == VERDICT_IMAGE || !line->host->path || strchr(line->name, '/'))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", injected, line->name);
		if (symlink(line->host->path, path) < 0 && errno != EEXIST)
			abort();
	}
}

/* Whether both agree about library @name: 1, 0; -1 for no case. */
static int agree(const struct loader_side *side, const char *name)
{
	static const struct closure_options all = {.libc = true};
	auto_closure *host = closure_new(host_fd, NULL), *image = closure_new(side->fd, &all);
	auto_verdict *table = NULL;
	const struct closure_object *start;
	int loads;

	if (closure_add(host, name, NULL, &start, &err) < 0 ||
	    verdict_make(host, image, NULL, &table, &err) < 0)
		return 0;
	/* libresolv.so is a name of one of the libc's, for linking: the image's own stays. */
	if (start->state != CLOSURE_FOUND || table->line[0].take == VERDICT_IMAGE)
		return -1;
	inject(table);
	loads = loader_loads(side, injected, start->path);
	if (loads >= 0 && loads == table->no)
		printf("# %s in %s: the loader says %s, we say '%s'\n", name, side->root,
		       loads ? "yes" : "no", table->text);
	return loads < 0 ? -1 : loads != table->no;
}

static void compare_image(const char *root, const struct words *names)
{
	struct loader_side side = {.root = root, .way = LOADER_OUTSIDE};
	size_t step = getenv("FIRN_TEST_ALL") ? 1 : 1 + names->count / LIBRARIES;
	unsigned compared = 0, differences = 0;
	auto_fd fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	side.fd = fd;
	for (size_t i = 0; fd >= 0 && i < names->count; i += step) {
		int result = agree(&side, names->item[i]);

		compared += result >= 0;
		differences += result == 0;
	}
	if (compared == 0)
		ok(true, "# SKIP %s: nothing to compare", root);
	else
		ok(differences == 0, "%s: %u differences in %u libraries", root, differences,
		   compared);
}

int main(void)
{
	static const char *const images[] = {"debian", "bullseye", "trixie", "mpi5"};
	const char *cache = getenv("FIRN_TEST_CACHE");
	auto_words names = {0};
	auto_free char *text = NULL;
	char root[PATH_MAX];
	size_t size;

	host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!mkdtemp(injected) || host_fd < 0)
		return 1;
	if (file_read(AT_FDCWD, "/etc/ld.so.cache", CACHE_MAX, &text, &size, &err) == 0)
		(void)ldcache_names(text, size, note, &names);
	for (size_t i = 0; i < COUNT_OF(images); i++) {
		(void)snprintf(root, sizeof(root), "%s/%s.dir",
			       cache ? cache : "/var/tmp/firn-images", images[i]);
		compare_image(root, &names);
	}
	ok(folder_remove(injected), "nothing is left behind");
	return done_testing();
}
