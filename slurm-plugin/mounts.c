/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/mounts.h"

#include "lib/own.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * How firn mounts anyway: all that is below, host mounts that come later are seen, no set-user-id,
 * no device nodes, a mount point made of the source's kind.
 */
static const char *const as_ever[] = {
	"bind",	  "rbind", "private",	    "rprivate",	    "slave",	     "rslave",
	"nosuid", "nodev", "x-create=auto", "x-create=dir", "x-create=file",
};

struct item {
	char *source, *target, *flags; /* borrowed; NULL: not there */
};

/* The text up to a comma that is no part of a name, new. "\," becomes ",", the rest stays. */
static char *take_text(const char **at)
{
	const char *from = *at + strspn(*at, " \t");
	char *text = malloc(strlen(from) + 1);
	size_t len = 0;

	for (; text && *from && *from != ','; from++) {
		if (from[0] == '\\' && from[1] == ',')
			from++;
		else if (from[0] == '\\' && from[1])
			text[len++] = *from++;
		text[len++] = *from;
	}
	if (text)
		text[len] = '\0';
	*at = from + (*from == ',');
	return text;
}

/* End the field at @text by a NUL. Returns the next one, or NULL. */
static char *end_field(char *text)
{
	for (; text && *text; text++) {
		if (text[0] == '\\' && text[1])
			text++;
		else if (*text == ':') {
			*text = '\0';
			return text + 1;
		}
	}
	return NULL;
}

static bool is_as_ever(const char *flag, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(as_ever); i++)
		if (strlen(as_ever[i]) == len && strncmp(as_ever[i], flag, len) == 0)
			return true;
	return false;
}

static int take_flags(const char *flags, bool *readonly, struct err *err)
{
	bool ro = false, rw = false;

	for (const char *at = flags; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL) {
		size_t len = strcspn(at, "+");

		if (len == 2 && strncmp(at, "ro", 2) == 0)
			ro = true;
		else if (len == 2 && strncmp(at, "rw", 2) == 0)
			rw = true;
		else if (!is_as_ever(at, len))
			return err_set(
				err,
				"flag '%.*s' is not understood; ro and rw are, and those that say "
				"what firn does anyway",
				(int)len, at);
	}
	*readonly = ro;
	return ro && rw ? err_set(err, "'ro' and 'rw' exclude each other") : 0;
}

static int print_word(const struct item *item, char **word, struct err *err)
{
	bool readonly = false;
	int result;

	if (!*item->source)
		return err_set(err, "it names no source");
	if (item->target && item->target[0] != '/')
		return err_set(err, "'%s' is not an absolute path", item->target);
	if (take_flags(item->flags, &readonly, err) < 0)
		return -1;
	if (item->target && strcmp(item->source, "tmpfs") == 0) {
		if (readonly)
			return err_set(err, "a read-only tmpfs is of no use");
		result = asprintf(word, "--tmpfs=%s", item->target);
	} else
		result = asprintf(word, "--bind=%s%s%s%s", item->source, item->target ? ":" : "",
				  item->target ? item->target : "", readonly ? ":ro" : "");
	if (result < 0)
		*word = NULL;
	return result < 0 ? err_sys(err, "it cannot be taken") : 0;
}

/* Take one item apart. @text is written to. */
static int take_item(char *text, char **word, struct err *err)
{
	struct item item = {.source = text};

	item.target = end_field(item.source);
	item.flags = end_field(item.target);
	if (end_field(item.flags))
		return err_set(err, "a colon too many (write '\\:' for one in a name)");
	return print_word(&item, word, err);
}

int mounts_next(const char **at, char **word, struct err *err)
{
	while (**at) {
		auto_free char *text = take_text(at);
		auto_free char *copy = text ? strdup(text) : NULL;

		if (!text || !copy)
			return err_sys(err, "--container-mounts");
		if (!*text)
			continue;
		return take_item(copy, word, err) < 0
			       ? err_aim(err, "--container-mounts: '%.200s'", text)
			       : 1;
	}
	return 0;
}

int mounts_check(const char *list, struct err *err)
{
	int result = 1;

	while (result > 0) {
		auto_free char *word = NULL;

		result = mounts_next(&list, &word, err);
	}
	return result;
}
