/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/env_file.h"

#include "lib/file.h"
#include "lib/own.h"

#include <fcntl.h>
#include <string.h>

#define BLANKS " \t"
#define BOM "\xef\xbb\xbf" /* with which some editors begin UTF-8 */

bool env_name_is_good(const char *name)
{
	if (*name == '\0' || (*name >= '0' && *name <= '9'))
		return false;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c <= ' ' || *c == 127 || strchr("='\"\\`$", *c))
			return false;
	return true;
}

/* What stands between a pair of quotes, in place. In double ones a backslash quotes, as in a shell.
 */
static int unquote(char *value, const char **why)
{
	const char quote = *value;
	const char *from = value + 1;
	char *to = value;

	for (; *from && *from != quote; from++) {
		if (quote == '"' && *from == '\\' && from[1] && strchr("\"\\$`", from[1]))
			from++;
		*to++ = *from;
	}
	if (*from == '\0') {
		*why = "has a quote that does not end";
		return -1;
	}
	if (from[1 + strspn(from + 1, BLANKS)] != '\0') {
		*why = "goes on after its value's quotes";
		return -1;
	}
	*to = '\0';
	return 0;
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
}

int env_file_line(char *line, char **name, char **value, const char **why)
{
	size_t len = strlen(line);
	char *equals;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return 0;
	if (strncmp(line, "export", 6) == 0 && strspn(line + 6, BLANKS) > 0)
		line += 6 + strspn(line + 6, BLANKS);
	equals = strchr(line, '=');
	*name = line;
	*value = equals ? equals + 1 : NULL;
	if (equals)
		*equals = '\0';
	else
		trim(line);
	if (!env_name_is_good(line)) {
		*why = "is not of the form NAME=VALUE";
		return -1;
	}
	if (*value && (**value == '"' || **value == '\''))
		return unquote(*value, why) < 0 ? -1 : 1;
	return 1;
}

int env_file_read(const char *path, int fd,
		  int (*take)(void *arg, const char *name, const char *value), void *arg,
		  struct err *err)
{
	auto_fd own = fd < 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	auto_free char *text = NULL;
	size_t size;
	char *line, *next;

	if (fd < 0 && own < 0)
		return err_sys(err, "cannot read '%s'", path);
	if (file_read_stream(fd < 0 ? own : fd, path, ENV_FILE_SIZE_MAX, &text, &size, err) < 0)
		return -1;
	line = text + (strncmp(text, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0);
	for (int number = 1; line < text + size; number++, line = next) {
		size_t len = strcspn(line, "\n");
		const char *why = "holds a zero byte";
		char *name, *value;
		int result = -1;

		next = line + len + 1;
		if (line[len] == '\n' || line + len == text + size) {
			line[len] = '\0';
			result = env_file_line(line, &name, &value, &why);
		}
		if (result < 0)
			return err_set(err, "'%s' line %d %s", path, number, why);
		if (result > 0 && take(arg, name, value) < 0)
			return err_sys(err, "cannot take '%s'", path);
	}
	return 0;
}
