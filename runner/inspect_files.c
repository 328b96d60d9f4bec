/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/inspect_files.h"

#include "lib/own.h"
#include "lib/text.h"
#include "lib/words.h"
#include "runner/plan/env_scripts.h"

#include <string.h>

enum { FILE_MAX = 1 << 20 };

#define FOLDER "/.singularity.d/"

static const struct part {
	const char *name, *path; /* NULL path: it is no single file */
} parts_of_all[INSPECT_PARTS] = {
	{"runscript", FOLDER "runscript"},
	{"startscript", FOLDER "startscript"},
	{"test", FOLDER "test"},
	{"helpfile", FOLDER "runscript.help"},
	{"deffile", FOLDER "Singularity"},
	{"environment", NULL},
	{"labels", NULL},
};

unsigned inspect_part(const char *name)
{
	for (size_t i = 0; i < INSPECT_PARTS; i++)
		if (strcmp(parts_of_all[i].name, name) == 0)
			return 1U << i;
	return 0;
}

/* One by one, since somebody else's image may have more of them than memory. */
static int read_file(struct content *content, const char *path, char **text, size_t *size,
		     struct err *err)
{
	return content_read(content, path, FILE_MAX, text, size, err);
}

/* The paths of the scripts of the environment. Returns 1, 0 when there are none, or -1. */
static int find_scripts(struct content *content, struct words *paths, struct err *err)
{
	char **names = NULL;
	int found = content_names(content, ENV_SCRIPTS_DIR, ".sh", ENV_SCRIPTS_MAX, &names, err);

	for (char **name = names; found > 0 && name && *name; name++)
		if (words_print(paths, ENV_SCRIPTS_DIR "/%s", *name) < 0)
			found = err_sys(err, "cannot read the image");
	words_free(names);
	return found;
}

/* The paths of what @parts ask for. Returns 0, or -1, also when the image has none of one. */
static int find_files(struct content *content, unsigned parts, struct words *paths, struct err *err)
{
	for (size_t i = 0; i < INSPECT_PARTS; i++) {
		const struct part *part = &parts_of_all[i];
		unsigned bit = 1U << i;
		int found;

		if (!(parts & bit & ~(unsigned)INSPECT_LABELS))
			continue;
		if (bit == INSPECT_ENVIRONMENT)
			found = find_scripts(content, paths, err);
		else
			found = content_has(content, part->path, err);
		if (found > 0 && part->path && words_print(paths, "%s", part->path) < 0)
			found = err_sys(err, "cannot read the image");
		if (found < 0)
			return -1;
		if (found == 0)
			return err_set(err, "'%s' has no %s%s", content->image->path, part->name,
				       bit == INSPECT_ENVIRONMENT
					       ? " scripts: its OCI configuration has all of it"
					       : "");
	}
	return 0;
}

static void put(const char *text, size_t size, bool tame)
{
	for (size_t i = 0; tame && i < size;) {
		bool control;
		size_t unit = text[i] ? text_unit(text + i, &control) : 1;

		control = !text[i] || (control && text[i] != '\n' && text[i] != '\t');
		(void)fwrite(control ? "?" : text + i, control ? 1 : unit, 1, stdout);
		i += unit;
	}
	if (!tame)
		(void)fwrite(text, 1, size, stdout);
	if (size > 0 && text[size - 1] != '\n')
		(void)fputc('\n', stdout);
}

int inspect_files_show(struct content *content, unsigned parts, bool tame, struct err *err)
{
	auto_words paths = {0};

	if (find_files(content, parts, &paths, err) < 0)
		return -1;
	for (char **path = paths.item; path && *path; path++) {
		auto_free char *text = NULL;
		size_t size = 0;

		if (read_file(content, *path, &text, &size, err) < 0)
			return -1;
		if (paths.count > 1) {
			(void)fputs("==> ", stdout);
			text_escape(stdout, *path);
			(void)fputs(" <==\n", stdout);
		}
		put(text ? text : "", size, tame);
	}
	return 0;
}

static int tell_scripts(struct report *to, struct content *content, struct err *err)
{
	auto_words paths = {0}, texts = {0};
	int found = find_scripts(content, &paths, err);

	if (found <= 0)
		return found;
	if (!to->json) {
		report_list(to, "env_scripts", paths.item);
		return 0;
	}
	for (char **path = paths.item; *path; path++) {
		auto_free char *text = NULL;
		size_t size = 0;

		if (read_file(content, *path, &text, &size, err) < 0)
			return -1;
		if (words_print(&texts, "%s", text ? text : "") < 0)
			return err_sys(err, "cannot read the image");
	}
	report_files(to, "env_scripts", paths.item, texts.item);
	return 0;
}

static int tell_file(struct report *to, struct content *content, const struct part *part,
		     struct err *err)
{
	auto_free char *text = NULL;
	char hint[64];
	size_t size = 0;
	int found;

	if (to->json) {
		found = read_file(content, part->path, &text, &size, err);
		report_text(to, part->name, text);
		return found < 0 ? -1 : 0;
	}
	found = content_has(content, part->path, err);
	(void)snprintf(hint, sizeof(hint), "is there; --%s shows it", part->name);
	if (found > 0)
		report_text(to, part->name, hint);
	return found < 0 ? -1 : 0;
}

int inspect_files_tell(struct report *to, struct content *content, unsigned parts, struct err *err)
{
	for (size_t i = 0; i < INSPECT_PARTS; i++)
		if (parts & 1U << i && parts_of_all[i].path &&
		    tell_file(to, content, &parts_of_all[i], err) < 0)
			return -1;
	return parts & INSPECT_ENVIRONMENT ? tell_scripts(to, content, err) : 0;
}
