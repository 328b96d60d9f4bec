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

/* What flags ask for. */
struct flags {
	bool ro, rw, file, image;
	const char *sub; /* image-src=, of @sub_len bytes; NULL: not given */
	int sub_len;
};

static bool is_flag(const char *flag, size_t len, const char *name)
{
	return strlen(name) == len && strncmp(flag, name, len) == 0;
}

static int take_flag(const char *flag, size_t len, struct flags *flags)
{
	static const char sub[] = "image-src=/";

	if (is_flag(flag, len, "ro"))
		flags->ro = true;
	else if (is_flag(flag, len, "rw"))
		flags->rw = true;
	else if (is_flag(flag, len, "file"))
		flags->file = true;
	else if (is_flag(flag, len, "sqsh"))
		flags->image = true;
	else if (len >= strlen(sub) && strncmp(flag, sub, strlen(sub)) == 0) {
		flags->sub = flag;
		flags->sub_len = (int)len;
	} else
		return is_as_ever(flag, len) ? 0 : -1;
	return 0;
}

static int take_flags(const char *text, struct flags *flags, struct err *err)
{
	for (const char *at = text; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL) {
		size_t len = strcspn(at, "+");

		if (take_flag(at, len, flags) < 0)
			return err_set(
				err,
				"flag '%.*s' is not understood; ro, rw, sqsh, file and "
				"image-src=/DIR are, and those that say what firn does anyway",
				(int)len, at);
	}
	flags->image = flags->image || flags->sub;
	if (flags->ro && flags->rw)
		return err_set(err, "'ro' and 'rw' exclude each other");
	if (flags->image && (flags->file || flags->rw))
		return err_set(err, "an image is no 'file', and is not written to");
	return 0;
}

/* What firn calls it: that it is a file first, see words.c. */
static int print_bind(const struct item *item, const struct flags *flags, char **word)
{
	const char *const mode[] = {flags->file ? "file" : NULL, flags->ro ? "ro" : NULL,
				    flags->image && !flags->sub ? "image" : NULL};
	char text[32] = "";
	size_t len = 0;

	for (size_t i = 0; i < COUNT_OF(mode); i++)
		if (mode[i])
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? "," : ":", mode[i]);
	return asprintf(word, "--bind=%s%s%s%s%s%.*s", item->source, item->target ? ":" : "",
			item->target ? item->target : "", text,
			!flags->sub ? ""
			: *text	    ? ","
				    : ":",
			flags->sub_len, flags->sub ? flags->sub : "");
}

static int print_word(const struct item *item, char **word, struct err *err)
{
	struct flags flags = {0};
	int result;

	if (!*item->source)
		return err_set(err, "it names no source");
	if (item->target && item->target[0] != '/')
		return err_set(err, "'%s' is not an absolute path", item->target);
	if (take_flags(item->flags, &flags, err) < 0)
		return -1;
	if (item->target && strcmp(item->source, "tmpfs") == 0) {
		if (flags.ro)
			return err_set(err, "a read-only tmpfs is of no use");
		if (flags.image || flags.file)
			return err_set(err, "a tmpfs is no image and no file");
		result = asprintf(word, "--tmpfs=%s", item->target);
	} else
		result = print_bind(item, &flags, word);
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

const char *mounts_bind_of(const char *word)
{
	static const char bind[] = "--bind=";

	return strncmp(word, bind, strlen(bind)) == 0 ? word + strlen(bind) : NULL;
}

char *mounts_field(const char *bind, int number)
{
	char *field = malloc(strlen(bind) + 1);
	size_t len = 0;

	for (; field && *bind && number >= 0; bind++) {
		if (*bind == ':') {
			number--;
			continue;
		}
		if (bind[0] == '\\' && (bind[1] == ':' || bind[1] == '\\'))
			bind++;
		if (number == 0)
			field[len++] = *bind;
	}
	if (field)
		field[len] = '\0';
	if (len > 0)
		return field;
	free(field);
	return NULL;
}
