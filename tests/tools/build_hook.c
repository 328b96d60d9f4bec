/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * build_hook.c - what a program could do that has taken over a process of the builder's cage.
 *
 * Linked into firn-build as firn_build_hooked. A file called "crash" in what is read is a
 * fault. One called "escape" tries all that the cage forbids, and tells how much of it was refused.
 */
#include "builder/cage.h"
#include "lib/log.h"
#include "lib/own.h"
#include "tests/tools/escape.h"

/* A file that can be read and not written, as sources are; to write the image is what we do. */
static int find_source(void)
{
	for (int fd = 3; fd < 100; fd++)
		if (lseek(fd, 0, SEEK_CUR) >= 0 && pwrite(fd, "", 0, 0) < 0)
			return fd;
	return -1;
}

static void escape(void)
{
	int refused = 0, source = find_source();

	for (size_t i = 0; i < ESCAPES; i++)
		refused += escape_is_refused(i, source);
	log_error("of %d attempts %d were refused", ESCAPES, refused);
}

void builder_test_hook(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strcmp(name, "crash") == 0)
		__builtin_trap(); /* which no sanitizer makes a report of */
	if (strcmp(name, "escape") == 0)
		escape();
}
