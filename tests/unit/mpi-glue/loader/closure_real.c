/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What closure.h finds for real programs, beside what their own loader tells: of this machine, and
 * of the real images' roots where they are. FIRN_TEST_ALL=1 has all programs compared, not some.
 */
#include "lib/path.h"
#include "tests/unit/mpi-glue/loader/loader.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROGRAMS = 40 };

/* Every so many of the programs in @folder. */
static void compare_folder(const struct loader_side *side, const char *folder, unsigned *compared,
			   unsigned *differences)
{
	auto_fd fd = path_open_in(side->fd, folder, O_RDONLY | O_DIRECTORY);
	struct dirent **names;
	int count = fd >= 0 ? scandirat(fd, ".", &names, NULL, alphasort) : -1;
	int step = getenv("FIRN_TEST_ALL") ? 1 : 1 + count / PROGRAMS / 2;

	for (int i = 0; i < count; i++) {
		char program[PATH_MAX];
		int result = -1;

		(void)snprintf(program, sizeof(program), "%s/%s", folder, names[i]->d_name);
		if (i % step == 0 && names[i]->d_name[0] != '.')
			result = loader_compare(side, program);
		if (result >= 0) {
			(*compared)++;
			*differences += (unsigned)result;
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static void compare_side(const char *root, enum loader_way way)
{
	static const char *const ways[] = {"here", "asked within", "asked from outside"};
	struct loader_side side = {.root = root, .way = way};
	unsigned compared = 0, differences = 0;

	side.fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (side.fd >= 0) {
		compare_folder(&side, "/usr/bin", &compared, &differences);
		compare_folder(&side, "/usr/sbin", &compared, &differences);
		(void)close(side.fd);
	}
	if (compared == 0)
		ok(true, "# SKIP %s, %s: no program to compare", root, ways[way]);
	else
		ok(differences == 0, "%s, %s: %u differences in %u programs", root, ways[way],
		   differences, compared);
}

int main(void)
{
	static const char *const images[] = {"debian", "bullseye", "trixie", "mpi", "mpi5"};
	const char *cache = getenv("FIRN_TEST_CACHE");
	char root[PATH_MAX];

	compare_side("/", LOADER_HERE);
	for (size_t i = 0; i < COUNT_OF(images); i++) {
		(void)snprintf(root, sizeof(root), "%s/%s.dir",
			       cache ? cache : "/var/tmp/firn-images", images[i]);
		compare_side(root, LOADER_WITHIN);
		compare_side(root, LOADER_OUTSIDE);
	}
	return done_testing();
}
