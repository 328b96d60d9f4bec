/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/lines.h"

#include "lib/conf/trust.h"
#include "lib/file.h"
#include "lib/own.h"

#include <string.h>

enum { FILE_MAX = 1 << 20 };

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int take_section(struct conf_lines *lines, char *line, struct err *err)
{
	size_t len = strlen(line);

	if (line[len - 1] != ']')
		return err_set(err, "'%s' line %d is no section", lines->path, lines->number);
	line[len - 1] = '\0';
	lines->section = line + 1;
	return 1;
}

int conf_lines_next(struct conf_lines *lines, struct err *err)
{
	char *line;

	lines->section = lines->name = lines->value = NULL;
	while ((line = strsep(&lines->rest, "\n"))) {
		lines->number++;
		line = trim(line);
		if (*line == '\0' || *line == '#')
			continue;
		if (*line == '[')
			return take_section(lines, line, err);
		lines->value = strchr(line, '=');
		if (!lines->value)
			return err_set(err, "'%s' line %d is not of the form KEY = VALUE",
				       lines->path, lines->number);
		*lines->value++ = '\0';
		lines->name = trim(line);
		lines->value = trim(lines->value);
		return 1;
	}
	return 0;
}

const char *conf_lines_likely_meant(const char *value)
{
	if (*value == '"' || *value == '\'')
		return "values are written without quotes";
	for (const char *at = value; (at = strchr(at, '#')); at++)
		if (at > value && strchr(" \t", at[-1]))
			return "a comment has a line of its own";
	return NULL;
}

int conf_lines_read(int fd, const char *path, bool site, char **out, struct err *err)
{
	auto_free char *text = NULL;
	size_t size;

	if (trust_check(fd, path, site, err) < 0)
		return -1;
	if (file_read_fd(fd, path, FILE_MAX, &text, &size, err) < 0)
		return -1;
	if (memchr(text, '\0', size))
		return err_set(err, "'%s' is no text: it holds a NUL byte", path);
	*out = take_ptr(&text);
	return 0;
}
