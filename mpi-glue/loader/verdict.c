/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/verdict.h"

#include "mpi-glue/loader/verdict_private.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 };

static int no_memory(struct err *err)
{
	return err_sys(err, "cannot compare libraries");
}

/*
 * Libraries that belong to an MPI library as its parts: its helpers and its other languages. So do
 * PMIx and UCX, which load plugins of their own release, and do not tell it: libucs.so.0.0.0 is
 * the file's name in all of them.
 */
static bool is_part_of_mpi(const char *name)
{
	static const char *const parts[] = {
		"libmpi.so", "libmpi_", "libmpich", "libmpifort",     "libmpicxx",  "libpmpi",
		"libopa.",   "libmpl.", "libopen-", "libmca_common_", "liboshmem.", "libprrte.",
		"libpmix.",  "libucp.", "libucs.",  "libuct.",	      "libucm.",
	};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (strncmp(name, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

static const char *name_of(const struct closure_object *object)
{
	return object->elf && object->elf->soname ? object->elf->soname : object->name;
}

static bool is_good(const struct closure_object *object)
{
	return object && object->state == CLOSURE_FOUND;
}

bool verdict_has_all(const struct elf *elf, const struct elf *of)
{
	for (size_t i = 0; i < of->defined_count; i++)
		if (!elf_defines(elf, of->defined[i]))
			return false;
	return true;
}

/* The first version that @elf defines and @other lacks. */
static const char *first_more(const struct elf *elf, const struct elf *other)
{
	for (size_t i = elf->defined_count; i > 0; i--)
		if (!elf_defines(other, elf->defined[i - 1]))
			return elf->defined[i - 1];
	return "";
}

void verdict_say(struct verdict_line *line, enum verdict_take take, const char *format, ...)
{
	__builtin_va_list args;

	line->take = take;
	__builtin_va_start(args, format);
	(void)vsnprintf(line->why, sizeof(line->why), format, args);
	__builtin_va_end(args);
}

/* Both have it, and neither has versions: by the numbers of their files. */
static void choose_by_number(const struct verdict_case *it, struct verdict_line *line)
{
	char host[NUMBER_SIZE], image[NUMBER_SIZE];

	verdict_file_number(it->host, line->host, host, sizeof(host));
	verdict_file_number(it->image, line->image, image, sizeof(image));
	if (verdict_compare_numbers(host, image) > 0 && image[0])
		verdict_say(line, VERDICT_HOST, "the host's is newer: %s, the image's is %s", host,
			    image);
	else if (verdict_compare_numbers(host, image) == 0)
		verdict_say(line, VERDICT_IMAGE, "the image's is the same");
	else
		verdict_say(line, VERDICT_IMAGE, "the image's is not older");
}

/* Both have it. */
static void choose(const struct verdict_case *it, struct verdict_line *line)
{
	const struct elf *host = line->host->elf, *image = line->image->elf;
	bool host_all = verdict_has_all(host, image), image_all = verdict_has_all(image, host);

	if (host->defined_count == 0 && image->defined_count == 0)
		choose_by_number(it, line);
	else if (host_all && image_all)
		verdict_say(line, VERDICT_IMAGE, "the image's has the same versions");
	else if (host_all)
		verdict_say(line, VERDICT_HOST, "the host's is newer: it has %s",
			    first_more(host, image));
	else if (image_all)
		verdict_say(line, VERDICT_IMAGE, "the image's is newer: it has %s",
			    first_more(image, host));
	else
		verdict_say(line, VERDICT_IMAGE, "neither has all versions of the other: %s, %s",
			    first_more(host, image), first_more(image, host));
}

/* Asked for, or a part of it: the host's; but say if the image's has more. */
static void take_asked(struct verdict_line *line)
{
	const char *what = line->asked ? "it was asked for" : "it is a part of the host's MPI";

	if (is_good(line->image) && !verdict_has_all(line->host->elf, line->image->elf))
		verdict_say(line, VERDICT_HOST, "%s; the image's is newer: it has %s", what,
			    first_more(line->image->elf, line->host->elf));
	else
		verdict_say(line, VERDICT_HOST, "%s", what);
}

/* A host's object that is none: the image may have it. */
static void choose_without_host(struct verdict_line *line)
{
	const struct closure_object *host = line->host;

	if (is_good(line->image) && !line->asked)
		verdict_say(line, VERDICT_IMAGE, "the host has none");
	else if (host->state == CLOSURE_MUSL)
		verdict_say(line, VERDICT_REFUSED, "the host's is built for musl");
	else if (host->state == CLOSURE_BROKEN)
		verdict_say(line, VERDICT_REFUSED, "%s", host->why);
	else
		verdict_say(line, VERDICT_REFUSED, "it is neither on the host nor in the image");
}

static void note_versions(struct verdict_line *line)
{
	const struct elf *elf = line->host->elf;

	line->glibc = verdict_highest_needed(elf, "GLIBC_");
	line->glibcxx = verdict_highest_needed(elf, "GLIBCXX_");
	line->cxxabi = verdict_highest_needed(elf, "CXXABI_");
	line->gcc = verdict_highest_needed(elf, "GCC_");
}

/* What the image has of that name. A plugin is no library of the image's, whatever it calls itself.
 */
static int look_in_image(struct verdict_case *it, struct verdict_line *line, struct err *err)
{
	if (strchr(line->name, '/') || (line->asked && strncmp(line->name, "lib", 3) != 0))
		return 0;
	if (closure_add(it->image, line->name, NULL, &line->image, err) < 0)
		return -1;
	if (line->image->state == CLOSURE_MISSING)
		line->image = NULL;
	return 0;
}

static int decide(struct verdict_case *it, struct verdict_line *line, struct err *err)
{
	if (look_in_image(it, line, err) < 0)
		return -1;
	if (is_good(line->host))
		note_versions(line);
	if (closure_is_libc(line->name) && !it->wish->host_libc) {
		if (is_good(line->image))
			verdict_say(line, VERDICT_IMAGE, "it is of the libc");
		else
			verdict_say(line, VERDICT_REFUSED, "the image's libc has none");
	} else if (!is_good(line->host)) {
		choose_without_host(line);
	} else if (closure_is_libc(line->name)) {
		verdict_say(line, VERDICT_HOST, "it is of the libc");
	} else if (line->asked || is_part_of_mpi(line->name)) {
		take_asked(line);
	} else if (!is_good(line->image)) {
		verdict_say(line, VERDICT_HOST, "the image has none");
	} else {
		choose(it, line);
	}
	return 0;
}

/* Whether all is lost without @object: without the start that led to it. Those come before it. */
static bool is_required(const struct verdict_case *it, const struct closure_object *object,
			size_t starts)
{
	if (!object->by)
		return !it->wish->required || starts <= it->wish->required ||
		       closure_is_libc(object->name);
	while (object->by)
		object = object->by;
	return it->verdict->line[object->number].required;
}

/* A line about each object of the host's closure, under the same number. */
static int decide_all(struct verdict_case *it, struct err *err)
{
	struct verdict_table *verdict = it->verdict;
	size_t starts = 0, count = closure_count(it->host);

	verdict->line = calloc(count + 1, sizeof(*verdict->line));
	if (!verdict->line)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct verdict_line *line = &verdict->line[i];

		line->host = closure_at(it->host, i);
		line->name = name_of(line->host);
		line->asked = !line->host->by && !closure_is_libc(line->name);
		starts += !line->host->by;
		line->required = is_required(it, line->host, starts);
		verdict->count++;
		if (decide(it, line, err) < 0)
			return -1;
	}
	return 0;
}

/* The line about who answers to @name on the host. */
static struct verdict_line *line_of(const struct verdict_case *it, const char *name)
{
	const struct closure_object *object = closure_find(it->host, name);

	return object && object->number < it->verdict->count ? &it->verdict->line[object->number]
							     : NULL;
}

/* Who will be there as library @name, or NULL. */
static const struct elf *provider_of(struct verdict_case *it, const char *name, struct err *err,
				     int *result)
{
	const struct verdict_line *line = line_of(it, name);
	const struct closure_object *object;

	*result = 0;
	if (line && line->take == VERDICT_HOST)
		return line->host->elf;
	if (line)
		return line->image ? line->image->elf : NULL;
	*result = closure_add(it->image, name, NULL, &object, err);
	return *result < 0 ? NULL : object->elf;
}

/* Say which version @line lacks. */
static void refuse_for_version(const struct verdict_case *it, struct verdict_line *line,
			       const char *library, const char *version)
{
	line->lacks = version;
	line->lacks_of = library;
	if (closure_is_libc(library))
		verdict_say(line, VERDICT_REFUSED, "it needs %s, the image has %s", version,
			    it->image_glibc);
	else
		verdict_say(line, VERDICT_REFUSED, "it needs %s of %s, and the one there lacks it",
			    version, library);
}

/* Whether version @a is a better reason than @b: one with a higher number, or the first. */
static bool is_better_reason(const char *a, const char *b)
{
	const size_t len = strlen("GLIBC_");

	return !b || (strncmp(a, "GLIBC_", len) == 0 && strncmp(b, "GLIBC_", len) == 0 &&
		      verdict_compare_numbers(a + len, b + len) > 0);
}

/* Whether all versions that an injected object needs are there. */
static int check_versions(struct verdict_case *it, struct verdict_line *line, struct err *err)
{
	const struct elf *elf = line->host->elf;
	const char *worst = NULL, *library = NULL;

	for (size_t i = 0; i < elf->need_count; i++) {
		const struct elf_need *need = &elf->need[i];
		int result;
		const struct elf *provider = provider_of(it, need->library, err, &result);

		if (result < 0)
			return -1;
		/* Against a library without any versions, the loader only warns. */
		if (!provider || provider->defined_count == 0)
			continue;
		for (size_t j = 0; j < need->count; j++) {
			const char *name = need->version[j].name;

			if (need->version[j].weak || elf_defines(provider, name) ||
			    !is_better_reason(name, worst))
				continue;
			worst = name;
			library = need->library;
		}
	}
	if (worst)
		refuse_for_version(it, line, library, worst);
	return 0;
}

/* What talks to the insides of the host's libc can do so with no other. */
static bool needs_private(const struct elf *elf)
{
	for (size_t i = 0; i < elf->need_count; i++)
		for (size_t j = 0; j < elf->need[i].count; j++)
			if (strcmp(elf->need[i].version[j].name, "GLIBC_PRIVATE") == 0)
				return true;
	return false;
}

static int check_all(struct verdict_case *it, struct err *err)
{
	for (size_t i = 0; i < it->verdict->count; i++) {
		struct verdict_line *line = &it->verdict->line[i];

		if (line->take != VERDICT_HOST)
			continue;
		if (!it->wish->host_libc && needs_private(line->host->elf))
			verdict_say(line, VERDICT_REFUSED, "it belongs to the host's libc");
		else if (check_versions(it, line, err) < 0)
			return -1;
	}
	return 0;
}

/* The first that @line needs and that is refused, or NULL. */
static const char *refused_need(const struct verdict_case *it, const struct verdict_line *line)
{
	const struct elf *elf = line->host->elf;

	for (size_t i = 0; elf && i < elf->needed_count; i++) {
		const struct verdict_line *other = line_of(it, elf->needed[i]);

		if (other && other->take == VERDICT_REFUSED)
			return elf->needed[i];
	}
	return NULL;
}

/* Who needs something refused is refused, too; until nobody is any more. */
static void spread_refusals(struct verdict_case *it)
{
	bool more = true;

	while (more) {
		more = false;
		/* What is needed comes later, mostly. */
		for (size_t i = it->verdict->count; i > 0; i--) {
			struct verdict_line *line = &it->verdict->line[i - 1];
			const char *name = NULL;

			if (line->take == VERDICT_HOST)
				name = refused_need(it, line);
			if (name)
				verdict_say(line, VERDICT_REFUSED, "it needs %s", name);
			more |= name != NULL;
		}
	}
}

static void count_all(struct verdict_table *verdict)
{
	for (size_t i = 0; i < verdict->count; i++) {
		const struct verdict_line *line = &verdict->line[i];

		verdict->injected += line->take == VERDICT_HOST;
		verdict->refused += line->take == VERDICT_REFUSED;
		verdict->no |= line->take == VERDICT_REFUSED && line->required;
	}
}

static int make(struct verdict_case *it, struct err *err)
{
	int suits = verdict_check_libc(it, err);

	if (suits < 0 || decide_all(it, err) < 0 || (suits && check_all(it, err) < 0))
		return -1;
	spread_refusals(it);
	count_all(it->verdict);
	it->verdict->no |= !suits;
	if (suits && it->verdict->no)
		verdict_explain(it);
	return 0;
}

int verdict_make(struct closure *host, struct closure *image, const struct verdict_wish *wish,
		 struct verdict_table **out, struct err *err)
{
	static const struct verdict_wish usual;
	auto_verdict *verdict = calloc(1, sizeof(*verdict));
	struct verdict_case it = {host, image, wish ? wish : &usual, verdict, "none"};

	if (!verdict)
		return no_memory(err);
	if (make(&it, err) < 0)
		return -1;
	*out = take_ptr(&verdict);
	return 0;
}

void verdict_free(struct verdict_table *verdict)
{
	if (!verdict)
		return;
	free(verdict->line);
	free(verdict);
}

void verdict_freep(struct verdict_table **verdict)
{
	verdict_free(*verdict);
}

const struct verdict_line *verdict_find(const struct verdict_table *verdict, const char *name)
{
	for (size_t i = 0; i < verdict->count; i++)
		if (strcmp(verdict->line[i].name, name) == 0)
			return &verdict->line[i];
	return NULL;
}
