/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/verdict_private.h"

#include "lib/file.h"

#include <ctype.h>
#include <elf.h>
#include <string.h>

#define PREFIX "GLIBC_"

enum { PREFIX_LEN = sizeof(PREFIX) - 1, LIBC_MAX = 32 << 20, NUMBER_SIZE = 32 };

#define say(it, ...) err_format((it)->verdict->text, __VA_ARGS__)

/* In the words of struct err, which has no control characters. */
__attribute__((format(printf, 2, 3))) static void err_format(char *text, const char *format, ...)
{
	__builtin_va_list args;
	char line[ERR_TEXT_SIZE];
	struct err err;

	__builtin_va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	__builtin_va_end(args);
	(void)err_set(&err, "%s", line);
	(void)snprintf(text, ERR_TEXT_SIZE, "%s", err.text);
}

/* What people call the library that it is all about. */
static const char *name_of_first(const struct verdict_case *it)
{
	const struct closure_object *first;

	if (closure_count(it->host) == 0)
		return "libraries";
	first = closure_at(it->host, 0);
	return first->elf && first->elf->soname ? first->elf->soname : first->name;
}

/* Say what the image has instead of a glibc. */
static int refuse_without_glibc(struct verdict_case *it, struct err *err)
{
	static const char *const loaders[] = {"/lib/ld-musl-x86_64.so.1",
					      "/lib/ld-musl-aarch64.so.1"};
	const struct closure_object *loader;

	for (size_t i = 0; i < COUNT_OF(loaders); i++) {
		if (closure_add(it->image, loaders[i], NULL, &loader, err) < 0)
			return -1;
		if (loader->state == CLOSURE_MISSING)
			continue;
		say(it, "host %s needs glibc, the image has musl: use --mpi=hybrid",
		    name_of_first(it));
		return 0;
	}
	say(it, "host %s needs glibc, the image has none: use --mpi=hybrid", name_of_first(it));
	return 0;
}

/* One member of the family, which the image has: 1 if the host has it, too. */
static int check_member(struct verdict_case *it, const char *name, struct err *err)
{
	const struct closure_object *image, *host;

	if (closure_add(it->image, name, NULL, &image, err) < 0)
		return -1;
	if (image->state != CLOSURE_FOUND)
		return 1;
	if (closure_add(it->host, name, NULL, &host, err) < 0)
		return -1;
	if (host->state == CLOSURE_FOUND)
		return 1;
	say(it, "the image has %s, the host has none: the libc is taken as a whole or not at all",
	    name);
	return 0;
}

/* Whether the host's family can take the place of the image's, whose libc is @image. */
static int check_host_libc(struct verdict_case *it, const struct elf *image, struct err *err)
{
	const struct closure_object *host;
	const char *number;
	int result = 1;

	if (closure_add(it->host, "libc.so.6", NULL, &host, err) < 0)
		return -1;
	if (host->state != CLOSURE_FOUND) {
		say(it, "the host has no glibc that could be taken");
		return 0;
	}
	number = verdict_highest_defined(host->elf, PREFIX);
	if (!verdict_has_all(host->elf, image)) {
		say(it, "the image's glibc %s is newer than the host's %s: leave out --glibc=host",
		    it->image_glibc, number ? number + PREFIX_LEN : "");
		return 0;
	}
	for (const char *const *name = closure_libc_names(image->machine); *name; name++) {
		result = check_member(it, *name, err);
		if (result <= 0)
			break;
	}
	return result;
}

int verdict_check_libc(struct verdict_case *it, struct err *err)
{
	const struct closure_object *image;
	const char *number;

	if (closure_add(it->image, "libc.so.6", NULL, &image, err) < 0)
		return -1;
	number = image->state == CLOSURE_FOUND ? verdict_highest_defined(image->elf, PREFIX) : NULL;
	if (!number)
		return refuse_without_glibc(it, err);
	it->image_glibc = number + PREFIX_LEN;
	return it->wish->host_libc ? check_host_libc(it, image->elf, err) : 1;
}

/* Whether @line is lost for want of a version of the libc, which is a number. */
static bool lacks_glibc(const struct verdict_line *line)
{
	return line->lacks && closure_is_libc(line->lacks_of) &&
	       strncmp(line->lacks, PREFIX, PREFIX_LEN) == 0 &&
	       isdigit((unsigned char)line->lacks[PREFIX_LEN]);
}

/* The first of the required lines that are refused for the highest version of the libc. */
static const struct verdict_line *find_newest(const struct verdict_table *verdict)
{
	const struct verdict_line *newest = NULL;

	for (size_t i = 0; i < verdict->count; i++) {
		const struct verdict_line *line = &verdict->line[i];

		if (line->required && line->take == VERDICT_REFUSED && lacks_glibc(line) &&
		    (!newest || verdict_compare_numbers(line->lacks + PREFIX_LEN,
							newest->lacks + PREFIX_LEN) > 0))
			newest = line;
	}
	return newest;
}

/* The first of the required lines that are refused by themselves, not for what they need. */
static const struct verdict_line *find_cause(const struct verdict_table *verdict)
{
	const struct verdict_line *cause = NULL;

	for (size_t i = 0; i < verdict->count; i++) {
		const struct verdict_line *line = &verdict->line[i];

		if (!line->required || line->take != VERDICT_REFUSED)
			continue;
		if (line->lacks || !line->host->elf)
			return line;
		cause = line;
	}
	return cause;
}

/*
 * The number of the image's glibc, "2.31", to @out. Its own words tell, which it has in it to be
 * shown when it is run: "GNU C Library (Debian GLIBC 2.31-13) stable release version 2.31."
 */
static void find_number(const struct verdict_case *it, char *out, size_t size)
{
	static const char words[] = "GNU C Library", before[] = " version ";
	const struct closure_object *libc = closure_find(it->image, "libc.so.6");
	auto_free char *text = NULL;
	size_t len = 0;
	struct err err;
	auto_fd fd = closure_open(it->image, libc, &err);
	const char *found;

	(void)snprintf(out, size, "%s", it->image_glibc);
	if (fd < 0 || file_read_fd(fd, libc->path, LIBC_MAX, &text, &len, &err) < 0)
		return;
	found = memmem(text, len, words, sizeof(words) - 1);
	/* The text ends with a NUL, if not before. */
	found = found ? strstr(found, before) : NULL;
	if (!found)
		return;
	found += sizeof(before) - 1;
	len = strspn(found, "0123456789.");
	while (len > 0 && found[len - 1] == '.')
		len--;
	if (len > 0 && len < size)
		(void)snprintf(out, size, "%.*s", (int)len, found);
}

/* The image's libc is too old for @line. */
static void explain_libc(struct verdict_case *it, const struct verdict_line *line)
{
	char number[NUMBER_SIZE], where[VERDICT_WHY_SIZE] = "";
	bool counts = lacks_glibc(line);

	find_number(it, number, sizeof(number));
	if (!line->asked)
		(void)snprintf(where, sizeof(where), " (in %s)", line->name);
	say(it,
	    "host %s needs %s%s, the image has %s: use --mpi=hybrid, an image with %s%s%s, or "
	    "--glibc=host",
	    line->asked ? line->name : name_of_first(it), line->lacks, where, number,
	    counts ? "glibc " : "a newer glibc", counts ? line->lacks + PREFIX_LEN : "",
	    counts ? " or newer" : "");
}

void verdict_explain(struct verdict_case *it)
{
	const struct verdict_line *line = find_newest(it->verdict);

	if (!line)
		line = find_cause(it->verdict);
	if (line && line->lacks && closure_is_libc(line->lacks_of))
		explain_libc(it, line);
	else if (line && line->lacks)
		say(it,
		    "host %s needs %s, which the %s that it would get lacks: use --mpi=hybrid, or "
		    "a newer image",
		    line->name, line->lacks, line->lacks_of);
	else if (line && line->host->by)
		say(it, "host %s needs %s, which cannot be had: %s", line->host->by->name,
		    line->name, line->why);
	else if (line)
		say(it, "host %s cannot go into the image: %s", line->name, line->why);
}
