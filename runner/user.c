/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/user.h"

#include "lib/path.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 4 << 20, GROUPS_MAX = 4096 };

/* The whole of a small file as a string; NULL when it is not there or too large. */
static char *slurp(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	struct stat stat;
	ssize_t size;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_MAX)
		return NULL;
	text = malloc((size_t)stat.st_size + 1);
	if (!text)
		return NULL;
	size = read(fd, text, (size_t)stat.st_size);
	if (size < 0)
		return NULL;
	text[size] = '\0';
	return take_ptr(&text);
}

/* Field @index of the colon-separated @line (up to its newline). */
static const char *field(const char *line, int index, size_t *len)
{
	for (; index > 0; index--) {
		line += strcspn(line, ":\n");
		if (*line != ':') {
			*len = 0;
			return line;
		}
		line++;
	}
	*len = strcspn(line, ":\n");
	return line;
}

static bool number_is(const char *text, size_t len, unsigned long wanted)
{
	unsigned long value = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = 10 * value + (unsigned long)(text[i] - '0');
	}
	return value == wanted;
}

static const char *next_line(const char *line)
{
	line = strchrnul(line, '\n');
	return *line ? line + 1 : line;
}

/* A name that can stand in passwd without becoming two fields or two lines. */
static bool is_name(const char *text)
{
	return text && *text && *text != '-' && *text != '+' && !strpbrk(text, ":/\n\r\t ") &&
	       strlen(text) < 256;
}

static bool is_home(const char *text)
{
	return text && text[0] == '/' && strlen(text) < 4096;
}

static void read_entry(struct user *user)
{
	auto_free char *text = slurp("/etc/passwd");
	size_t len;

	for (const char *line = text; line && *line; line = next_line(line)) {
		const char *uid = field(line, 2, &len);

		if (!number_is(uid, len, user->uid))
			continue;
		line = field(line, 0, &len);
		user->name = strndup(line, len);
		uid = field(line, 5, &len);
		user->home = len > 0 ? strndup(uid, len) : NULL;
		uid = field(line, 6, &len);
		user->shell = len > 0 ? strndup(uid, len) : NULL;
		return;
	}
}

static bool is_member(unsigned long gid, const gid_t *list, int count)
{
	for (int i = 0; i < count; i++)
		if (list[i] == gid)
			return true;
	return false;
}

/* Copy those lines of the host's /etc/group that name a group of ours, without the member list. */
static char *read_groups(gid_t primary)
{
	auto_free char *text = slurp("/etc/group");
	auto_free char *lines = NULL;
	static gid_t list[GROUPS_MAX + 1]; /* the pages of a stack would all be touched */
	int count = getgroups(GROUPS_MAX, list);
	size_t used = 0;

	if (count < 0)
		count = 0;
	list[count++] = primary;
	lines = calloc(1, text ? strlen(text) + 2 : 1);
	for (const char *line = text; lines && line && *line; line = next_line(line)) {
		size_t len;
		const char *gid = field(line, 2, &len);
		size_t head = (size_t)(gid - line) + len;

		if (len == 0 || len > 10 || !is_member(strtoul(gid, NULL, 10), list, count))
			continue;
		memcpy(lines + used, line, head);
		memcpy(lines + used + head, ":\n", 2);
		used += head + 2;
	}
	if (lines)
		lines[used] = '\0';
	return take_ptr(&lines);
}

int user_read(struct user **out, struct err *err)
{
	auto_user *user = calloc(1, sizeof(*user));
	const char *home = getenv("HOME");
	const char *name = getenv("USER");
	auto_free char *tidy = NULL;

	if (!user)
		return err_sys(err, "cannot tell who runs this");
	user->uid = geteuid();
	user->gid = getegid();
	read_entry(user);
	if (!user->name)
		user->name = strdup(is_name(name) ? name : "user");
	if (is_home(home) && path_tidy(home, &tidy, err) == 0) {
		free(user->home);
		user->home = take_ptr(&tidy);
	}
	if (!user->home)
		user->home = strdup("/");
	if (!user->shell)
		user->shell = strdup("/bin/sh");
	user->groups = read_groups(user->gid);
	if (!user->name || !user->home || !user->shell || !user->groups)
		return err_sys(err, "cannot tell who runs this");
	*out = take_ptr(&user);
	return 0;
}

void user_free(struct user *user)
{
	if (!user)
		return;
	free(user->name);
	free(user->home);
	free(user->shell);
	free(user->groups);
	free(user);
}

void user_freep(struct user **user)
{
	user_free(*user);
}

char *user_passwd_line(const char *name, uid_t uid, gid_t gid, const char *home, const char *shell)
{
	char *line;

	if (strpbrk(home, ":\n"))
		home = "/"; /* passwd(5) cannot say it; HOME does */
	if (asprintf(&line, "%s:x:%u:%u::%s:%s\n", name, (unsigned)uid, (unsigned)gid, home,
		     shell) < 0)
		return NULL;
	return line;
}

static bool has_gid(const char *lines, gid_t gid)
{
	for (const char *line = lines; line && *line; line = next_line(line)) {
		size_t len;
		const char *number = field(line, 2, &len);

		if (number_is(number, len, gid))
			return true;
	}
	return false;
}

char *user_group_lines(const char *name, gid_t gid, const char *more)
{
	char *lines;
	int len;

	if (has_gid(more, gid))
		return strdup(more);
	len = asprintf(&lines, "%s:x:%u:\n%s", name, (unsigned)gid, more ? more : "");
	return len < 0 ? NULL : lines;
}
