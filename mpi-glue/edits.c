/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/edits.h"

#include "lib/path.h"
#include "lib/words.h"

#include <string.h>

static const char *const words[] = {
	[EDIT_OVER] = "over",	      [EDIT_LIBRARY] = "library", [EDIT_DIRECTORY] = "directory",
	[EDIT_SET] = "set",	      [EDIT_PREPEND] = "prepend", [EDIT_APPEND] = "append",
	[EDIT_UNSET] = "unset",
};

bool edit_is_of_environment(const struct edit *edit)
{
	return edit->kind >= EDIT_SET;
}

static void clear(struct edit *edit)
{
	free(edit->source);
	free(edit->target);
	free(edit->why);
}

static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to ? 0 : -1;
}

int edits_add(struct edits *edits, enum edit_kind kind, const char *source, const char *target,
	      const char *why, struct err *err)
{
	struct edit edit = {.kind = kind};
	struct edit *grown;

	if (edit_is_of_environment(&edit) && (!*target || strchr(target, '=')))
		return err_set(err, "'%s' is no name of a variable", target);
	grown = reallocarray(edits->item, edits->count + 1, sizeof(*grown));
	edits->item = grown ? grown : edits->item;
	if (!grown || copy(&edit.source, source) < 0 || copy(&edit.target, target) < 0 ||
	    copy(&edit.why, why) < 0) {
		clear(&edit);
		return err_sys(err, "cannot plan '%s'", target);
	}
	edits->item[edits->count++] = edit;
	return 0;
}

int edits_join(struct edits *edits, const struct edits *more, struct err *err)
{
	for (size_t i = 0; i < more->count; i++) {
		const struct edit *edit = &more->item[i];

		if (edits_add(edits, edit->kind, edit->source, edit->target, edit->why, err) < 0)
			return -1;
	}
	return 0;
}

void edits_clear(struct edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		clear(&edits->item[i]);
	free(edits->item);
	*edits = (struct edits){NULL, 0};
}

static int set_joined(struct pairs *pairs, const char *name, const char *first, const char *second)
{
	auto_free char *value = NULL;

	if (asprintf(&value, "%s:%s", first, second) < 0)
		return -1;
	return pairs_set_value(pairs, name, value);
}

static int apply_one(const struct edit *edit, struct pairs *pairs)
{
	const char *there = pairs_get(pairs, edit->target);
	bool joins = there && *there;

	if (joins && edit->kind == EDIT_PREPEND)
		return set_joined(pairs, edit->target, edit->source, there);
	if (joins && edit->kind == EDIT_APPEND)
		return set_joined(pairs, edit->target, there, edit->source);
	return pairs_set_value(pairs, edit->target, edit->source);
}

/* @env without variable @name; in place, and those left out are freed. */
static void take_away(char **env, const char *name)
{
	size_t len = strlen(name);
	char **to = env;

	for (; env && *env; env++) {
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			free(*env);
		else
			*to++ = *env;
	}
	if (to)
		*to = NULL;
}

/* The edits from @from on, up to the first that takes away; returns its number, or that of the end.
 */
static int apply_some(const struct edits *edits, size_t *from, char *const *env, char ***out)
{
	auto_pairs pairs = {0};
	int result = 0;

	for (; env && *env && result == 0; env++)
		result = pairs_set(&pairs, *env);
	for (; result == 0 && *from < edits->count; (*from)++) {
		const struct edit *edit = &edits->item[*from];

		if (edit->kind == EDIT_UNSET)
			break;
		if (edit_is_of_environment(edit))
			result = apply_one(edit, &pairs);
	}
	*out = words_join(pairs.words.item, NULL);
	return *out ? result : -1;
}

int edits_apply(const struct edits *edits, char *const *env, char ***out, struct err *err)
{
	char **made = NULL;
	size_t at = 0;

	if (apply_some(edits, &at, env, &made) < 0) {
		words_free(made);
		return err_sys(err, "cannot make the environment");
	}
	while (at < edits->count) {
		char **before = made;
		int result;

		take_away(before, edits->item[at++].target);
		result = apply_some(edits, &at, before, &made);
		words_free(before);
		if (result < 0) {
			words_free(made);
			return err_sys(err, "cannot make the environment");
		}
	}
	*out = made;
	return 0;
}

int edits_write(const struct edits *edits, char **out, struct err *err)
{
	size_t size;
	FILE *file = open_memstream(out, &size);

	if (!file)
		return err_sys(err, "cannot write the environment");
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->item[i];

		if (edit_is_of_environment(edit))
			(void)fprintf(file, "%s %s=%s\n", words[edit->kind], edit->target,
				      edit->source ? edit->source : "");
	}
	if (fclose(file) == 0)
		return 0;
	free(take_ptr(out));
	return err_sys(err, "cannot write the environment");
}

static int read_line(struct edits *edits, char *line, struct err *err)
{
	char *name = strchr(line, ' ');
	char *value = name ? strchr(name, '=') : NULL;

	if (value) {
		*name++ = '\0';
		*value++ = '\0';
	}
	for (size_t i = EDIT_SET; value && i < COUNT_OF(words); i++)
		if (strcmp(words[i], line) == 0)
			return edits_add(edits, (enum edit_kind)i, value, name, NULL, err);
	return err_set(err, "'%s' is no change of the environment", line);
}

int edits_read(struct edits *edits, char *text, struct err *err)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line && read_line(edits, line, err) < 0)
			return -1;
	return 0;
}

static void print_word(FILE *out, const char *word)
{
	auto_free char *quoted = path_quote(word);

	(void)fprintf(out, " %s", quoted ? quoted : "?");
}

void edits_print(const struct edits *edits, FILE *out)
{
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->item[i];

		(void)fprintf(out, "edit %s", words[edit->kind]);
		/* As they are written elsewhere: SOURCE TARGET, and NAME VALUE. */
		if (!edit_is_of_environment(edit))
			print_word(out, edit->source);
		print_word(out, edit->target);
		if (edit_is_of_environment(edit) && edit->kind != EDIT_UNSET)
			print_word(out, edit->source);
		if (edit->why)
			(void)fprintf(out, " # %s", edit->why);
		(void)fputc('\n', out);
	}
}
