/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What a holder leaves for those who wait when his work came to nothing: "TOKEN\nWHY\n". */
#include "builder/store/lease_private.h"

#include "lib/file.h"
#include "lib/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_SIZE = 256 };

bool lease_failed_name(const char *name, char out[NAME_SIZE])
{
	return snprintf(out, NAME_SIZE, "%s.failed", name) < NAME_SIZE;
}

void lease_failed_write(int folder, const char *name, const char *token, const char *why)
{
	char place[NAME_SIZE], hidden[LEASE_TOKEN_SIZE + 1], text[LEASE_TEXT_SIZE];
	int size = snprintf(text, sizeof(text), "%s\n%s\n", token, why);
	auto_fd fd = -1;

	if (!lease_failed_name(name, place) || lease_unique(hidden) < 0)
		return;
	fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return;
	if (file_write_all(fd, text, (size_t)size) < 0 ||
	    renameat(folder, hidden, folder, place) < 0)
		(void)unlinkat(folder, hidden, 0);
}

void lease_failed_clear(int folder, const char *name)
{
	char place[NAME_SIZE];

	if (lease_failed_name(name, place))
		(void)unlinkat(folder, place, 0);
}

int lease_failure(int folder, const char *name, const char *token, struct err *err)
{
	char place[NAME_SIZE];
	auto_free char *text = NULL;
	struct err ignored;
	auto_fd fd = -1;
	size_t size, len = strlen(token);

	if (!len || !lease_failed_name(name, place))
		return 0;
	fd = openat(folder, place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || file_read_fd(fd, place, LEASE_TEXT_SIZE, &text, &size, &ignored) < 0 ||
	    strncmp(text, token, len) != 0 || text[len] != '\n')
		return 0;
	text[len + 1 + strcspn(text + len + 1, "\n")] = '\0';
	(void)err_set(err, "%s", text + len + 1);
	return 1;
}
