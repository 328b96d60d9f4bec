/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/user.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/path.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A directory of a large site is some megabytes; a user may be in 65536 groups (Linux 2.6.4). */
enum {
	FILE_MAX = 64 << 20, /* bytes */
	GROUPS_MAX = 65536,
	NUMBER_DIGITS = 10,
	NAME_SIZE = 256,
	HOME_SIZE = 4096,
};

/* The text of a file of the host, or NULL: names are missing then, and nothing else. */
static char *host_text(const char *path)
{
	char *text = NULL;
	struct err err;
	size_t size;

	if (file_read(AT_FDCWD, path, FILE_MAX, &text, &size, &err) == 0)
		return text;
	if (err.code != ENOENT)
		log_warning("%s: its names are not known inside", err.text);
	return NULL;
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

/* A field that is a number and nothing else. */
static bool parse_number(const char *text, size_t len, uint64_t *out)
{
	uint64_t value = 0;

	if (len == 0 || len > NUMBER_DIGITS)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(text[i] - '0');
	}
	*out = value;
	return true;
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
	       strlen(text) < NAME_SIZE;
}

static bool is_home(const char *text)
{
	return text && text[0] == '/' && strlen(text) < HOME_SIZE;
}

/* Field @index as a new string in @out, if it is not empty. */
static void take_field(const char *line, int index, char **out)
{
	size_t len;
	const char *text = field(line, index, &len);

	if (len > 0)
		*out = strndup(text, len);
}

void user_take_entry(struct user *user, const char *passwd)
{
	for (const char *line = passwd; line && *line; line = next_line(line)) {
		size_t len;
		const char *text = field(line, 2, &len);
		uint64_t uid;

		if (!parse_number(text, len, &uid) || uid != user->uid)
			continue;
		take_field(line, 0, &user->name);
		take_field(line, 5, &user->home);
		take_field(line, 6, &user->shell);
		return;
	}
}

static bool is_member(uint64_t gid, const gid_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == gid)
			return true;
	return false;
}

char *user_pick_groups(const char *group, const gid_t *list, size_t count)
{
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	if (!out)
		return NULL;
	for (const char *line = group; line && *line; line = next_line(line)) {
		size_t len;
		const char *text = field(line, 2, &len);
		uint64_t gid;

		/* As long as it is up to the number, which need not be followed by anything. */
		if (parse_number(text, len, &gid) && is_member(gid, list, count))
			(void)fprintf(out, "%.*s:\n", (int)(text + len - line), line);
	}
	if (fclose(out) == 0)
		return lines;
	free(lines);
	return NULL;
}

static char *read_groups(gid_t primary)
{
	static gid_t list[GROUPS_MAX + 1]; /* the pages of a stack would all be touched */
	auto_free char *text = host_text("/etc/group");
	int count = getgroups(GROUPS_MAX, list);

	if (count < 0)
		count = 0;
	list[count++] = primary;
	return user_pick_groups(text, list, (size_t)count);
}

/* Put what HOME or passwd says in its place, tidy; what is no absolute path is nothing. */
static void settle_home(struct user *user)
{
	const char *home = getenv("HOME");
	char *tidy = NULL;
	struct err err;

	if ((!is_home(home) || path_tidy(home, &tidy, &err) < 0) && is_home(user->home))
		(void)path_tidy(user->home, &tidy, &err);
	free(user->home);
	user->home = tidy ? tidy : strdup("/");
}

int user_read(struct user **out, struct err *err)
{
	auto_user *user = calloc(1, sizeof(*user));
	auto_free char *passwd = host_text("/etc/passwd");
	const char *name = getenv("USER");

	if (!user)
		return err_sys(err, "cannot tell who runs this");
	user->uid = geteuid();
	user->gid = getegid();
	user_take_entry(user, passwd);
	if (!is_name(user->name)) {
		free(user->name);
		user->name = strdup(is_name(name) ? name : "user");
	}
	settle_home(user);
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
		uint64_t value;

		if (parse_number(number, len, &value) && value == gid)
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

int user_add_names(const struct user *user, struct plan *plan, const char *home, bool frozen,
		   struct err *err)
{
	const char *name = frozen ? "user" : user->name;
	auto_free char *passwd = user_passwd_line(name, user->uid, user->gid, home,
						  frozen ? "/bin/sh" : user->shell);
	auto_free char *group = user_group_lines(name, user->gid, frozen ? NULL : user->groups);

	if (!passwd || !group)
		return err_sys(err, "cannot plan '/etc/passwd'");
	if (plan_add_text(plan, PLAN_PREFIX, "/etc/passwd", passwd, err) < 0)
		return -1;
	return plan_add_text(plan, PLAN_PREFIX, "/etc/group", group, err);
}
