/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/verdict.h"

#include "lib/words.h"

#include <string.h>

enum { NUMBER_SIZE = 64 };

/* Names of functions, each once. */
struct functions {
	struct words words;
	struct names names;
	bool defined; /* which ones are wanted: those that are had, or those that are called */
	bool no_memory;
};

static void functions_clear(struct functions *functions)
{
	names_clear(&functions->names);
	words_clear(&functions->words);
}

static void see(void *arg, const char *name, bool defined)
{
	struct functions *functions = arg;
	size_t count = functions->words.count;

	if (defined != functions->defined || names_find(&functions->names, name, strlen(name)))
		return;
	if (words_add(&functions->words, name) < 0 ||
	    names_add(&functions->names, functions->words.item[count], strlen(name), count) < 0)
		functions->no_memory = true;
}

/* Add the MPI functions of @object to @functions. */
static int add_functions(struct functions *functions, const struct closure *closure,
			 const struct closure_object *object, struct err *err)
{
	static const char *const prefixes[] = {"MPI_", "PMPI_"};
	auto_fd fd = closure_open(closure, object, err);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (elf_symbols(fd, object->path, prefixes[i], see, functions, err) < 0)
			return -1;
	return functions->no_memory ? err_sys(err, "cannot read '%s'", object->path) : 0;
}

/* Whether @object is linked to library @soname. */
static bool is_linked_to(const struct closure_object *object, const char *soname)
{
	if (object->state != CLOSURE_FOUND)
		return false;
	for (size_t i = 0; i < object->elf->needed_count; i++)
		if (strcmp(object->elf->needed[i], soname) == 0)
			return true;
	return false;
}

/*
 * Functions that are called by what is linked to @soname. Only MPI's own parts call functions that
 * are of no standard; they go with the library, and are not asked.
 */
static int add_calls(struct functions *calls, const struct closure *image, const char *soname,
		     struct err *err)
{
	for (size_t i = 0; i < closure_count(image); i++) {
		const struct closure_object *object = closure_at(image, i);

		if (!is_linked_to(object, soname) ||
		    (object->elf->soname && strncmp(object->elf->soname, "libmpi", 6) == 0))
			continue;
		if (add_functions(calls, image, object, err) < 0)
			return -1;
	}
	return 0;
}

static int compare_functions(const struct closure *host, const struct closure_object *of,
			     const struct closure *image, char *why, struct err *err)
{
	CLEANUP(functions_clear) struct functions calls = {.defined = false};
	CLEANUP(functions_clear) struct functions has = {.defined = true};
	const char *first = NULL;
	unsigned missing = 0;

	if (add_calls(&calls, image, of->elf->soname, err) < 0 ||
	    add_functions(&has, host, of, err) < 0)
		return -1;
	for (size_t i = 0; i < calls.words.count; i++) {
		const char *name = calls.words.item[i];

		if (names_find(&has.names, name, strlen(name)))
			continue;
		first = first ? first : name;
		missing++;
	}
	if (missing == 0)
		return VERDICT_ABI_GOOD;
	if (missing == 1)
		(void)snprintf(why, VERDICT_WHY_SIZE, "the program calls %s, which host %s lacks",
			       first, of->elf->soname);
	else
		(void)snprintf(why, VERDICT_WHY_SIZE,
			       "the program calls %s and %u more, which host %s lacks", first,
			       missing - 1, of->elf->soname);
	return VERDICT_ABI_BAD;
}

/* By the numbers of the files, as far as there are any. */
static int compare_files(const struct closure *host, const struct closure_object *of,
			 const struct closure *image, const struct closure_object *other, char *why)
{
	char ours[NUMBER_SIZE], theirs[NUMBER_SIZE];

	verdict_file_number(host, of, ours, sizeof(ours));
	verdict_file_number(image, other, theirs, sizeof(theirs));
	if (!ours[0] || !theirs[0] || verdict_compare_numbers(ours, theirs) >= 0)
		return VERDICT_ABI_GOOD;
	(void)snprintf(why, VERDICT_WHY_SIZE, "host %s is older (%s) than the image's (%s)",
		       of->elf->soname, ours, theirs);
	return VERDICT_ABI_DOUBTFUL;
}

int verdict_abi(enum verdict_abi key, const struct closure *host, const struct closure_object *of,
		struct closure *image, const struct closure_object *program, char *why,
		struct err *err)
{
	const char *soname = of->elf ? of->elf->soname : NULL;
	const struct closure_object *other;

	why[0] = '\0';
	if (!soname) {
		(void)snprintf(why, VERDICT_WHY_SIZE, "host %s has no soname", of->name);
		return VERDICT_ABI_BAD;
	}
	if (!program && closure_add(image, soname, NULL, NULL, err) < 0)
		return -1;
	other = closure_find(image, soname);
	/* A name that somebody of the program's asks for is known, be it found or not. */
	if (!other || (!program && other->state != CLOSURE_FOUND)) {
		(void)snprintf(why, VERDICT_WHY_SIZE, "%s needs no %s",
			       program ? "the program" : "the image", soname);
		return VERDICT_ABI_BAD;
	}
	if (key == VERDICT_SYMBOLS && program)
		return compare_functions(host, of, image, why, err);
	if (key == VERDICT_MAJOR || other->state != CLOSURE_FOUND)
		return VERDICT_ABI_GOOD;
	return compare_files(host, of, image, other, why);
}
