/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/title.h"

#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

/* The process' own words, as the kernel has laid them out: one behind the other. */
static char *first;
static size_t room;
static const char *about = "";

void title_remember(char **argv)
{
	first = argv[0];
	for (char **word = argv; first && *word && *word == first + room; word++)
		room += strlen(*word) + 1;
}

void title_about(const char *image)
{
	about = image;
}

/* Up to the last byte but one: a last byte that is not NUL would have the kernel read on. */
static size_t put(size_t used, const char *text)
{
	while (*text && used + 1 < room)
		first[used++] = *text++;
	return used;
}

void title_set(const char *name)
{
	size_t used;

	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	if (room == 0)
		return;
	explicit_bzero(first, room);
	used = put(0, name);
	if (*about)
		(void)put(put(used, " "), about);
}
