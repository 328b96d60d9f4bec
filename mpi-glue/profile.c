/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/profile.h"

#include "lib/conf/lines.h"
#include "paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define SITE_DIR SYSCONFDIR "/firn/profiles.d"
#define SUFFIX	 ".conf"

enum { PROFILES_MAX = 200 };

static const struct {
	const char *name;
	size_t field; /* a struct words of struct profile */
} lists[] = {
	{"match", offsetof(struct profile, match)},	{"lib", offsetof(struct profile, lib)},
	{"plugins", offsetof(struct profile, plugins)}, {"data", offsetof(struct profile, data)},
	{"require", offsetof(struct profile, require)},
};

static const struct {
	const char *name;
	enum edit_kind kind;
} changes[] = {
	{"env.set", EDIT_SET},
	{"env.prepend", EDIT_PREPEND},
	{"env.append", EDIT_APPEND},
	{"env.unset", EDIT_UNSET},
};

static const char *const abis[] = {
	[VERDICT_MAJOR] = "major",
	[VERDICT_FULL] = "full",
	[VERDICT_SYMBOLS] = "symbols",
};

static int wrong(const struct conf_lines *lines, const char *what, struct err *err)
{
	return err_set(err, "'%s' line %d: '%s' cannot be '%s': %s", lines->path, lines->number,
		       lines->name, lines->value, what);
}

static int take_list(struct words *list, const struct conf_lines *lines, bool paths,
		     struct err *err)
{
	char *rest = lines->value;
	char *word;

	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (paths && *word != '/' && strncmp(word, "$LIBDIR/", strlen("$LIBDIR/")) != 0)
			return err_set(err, "'%s' line %d: '%s' in '%s' is no absolute path",
				       lines->path, lines->number, word, lines->name);
		if (words_add(list, word) < 0)
			return err_sys(err, "cannot read '%s'", lines->path);
	}
	return 0;
}

static int take_change(struct profile *profile, enum edit_kind kind,
		       const struct conf_lines *lines, struct err *err)
{
	char *value = strchr(lines->value, '=');
	auto_free char *why = NULL;

	if (kind == EDIT_UNSET ? value != NULL : !value || value == lines->value)
		return wrong(lines, kind == EDIT_UNSET ? "it is NAME" : "it is NAME=VALUE", err);
	if (value)
		*value++ = '\0';
	if (asprintf(&why, "profile %s", profile->name) < 0)
		return err_sys(err, "cannot read '%s'", lines->path);
	return edits_add(&profile->edits, kind, value, lines->value, why, err);
}

static int take_abi(struct profile *profile, const struct conf_lines *lines, struct err *err)
{
	if (profile->abi_is_set)
		return wrong(lines, "it is there twice", err);
	for (size_t i = 0; i < COUNT_OF(abis); i++)
		if (strcmp(abis[i], lines->value) == 0) {
			profile->abi = (enum verdict_abi)i;
			profile->abi_is_set = true;
			return 0;
		}
	return wrong(lines, "it is major, full or symbols", err);
}

static int take_line(struct profile *profile, const struct conf_lines *lines, struct err *err)
{
	const char *name = lines->name;

	if (lines->section)
		return err_set(err, "'%s' line %d: a profile has no sections", lines->path,
			       lines->number);
	if (conf_lines_likely_meant(lines->value))
		return wrong(lines, conf_lines_likely_meant(lines->value), err);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (strcmp(lists[i].name, name) == 0)
			return take_list((struct words *)((char *)profile + lists[i].field), lines,
					 i >= 2, err);
	for (size_t i = 0; i < COUNT_OF(changes); i++)
		if (strcmp(changes[i].name, name) == 0)
			return take_change(profile, changes[i].kind, lines, err);
	if (strcmp(name, "abi") == 0)
		return take_abi(profile, lines, err);
	return err_set(err, "'%s' line %d: there is no key '%s' in a profile", lines->path,
		       lines->number, name);
}

int profile_take_text(struct profile *profile, char *text, const char *path, struct err *err)
{
	struct conf_lines lines = {.path = path, .rest = text};
	int result;

	if (!profile->abi_is_set)
		profile->abi = VERDICT_FULL;
	while ((result = conf_lines_next(&lines, err)) > 0)
		if (take_line(profile, &lines, err) < 0)
			return -1;
	if (result == 0 && (profile->match.count == 0 || profile->lib.count == 0))
		return err_set(err, "'%s' does not say '%s'", path,
			       profile->match.count == 0 ? "match" : "lib");
	return result;
}

void profile_clear(struct profile *profile)
{
	free(profile->name);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		words_clear((struct words *)((char *)profile + lists[i].field));
	edits_clear(&profile->edits);
}

void profiles_free(struct profiles *profiles)
{
	if (!profiles)
		return;
	for (size_t i = 0; i < profiles->count; i++)
		profile_clear(&profiles->item[i]);
	free(profiles->item);
	free(profiles);
}

void profiles_freep(struct profiles **profiles)
{
	profiles_free(*profiles);
}

/* What @file, with or without folders, is called as a profile; new. NULL for no profile's file. */
static char *name_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	if (len <= suffix || name[0] == '.' || strcmp(name + len - suffix, SUFFIX) != 0)
		return NULL;
	return strndup(name, len - suffix);
}

static int read_fd(struct profiles *profiles, int fd, const char *path, bool site, struct err *err)
{
	auto_free char *text = NULL;
	auto_free char *name = name_of(path);
	struct profile *grown;

	if (!name)
		return err_set(err, "'%s' is no profile: its name does not end in " SUFFIX, path);
	if (conf_lines_read(fd, path, site, &text, err) < 0)
		return -1;
	grown = reallocarray(profiles->item, profiles->count + 1, sizeof(*grown));
	if (!grown)
		return err_sys(err, "cannot read '%s'", path);
	profiles->item = grown;
	grown += profiles->count++;
	*grown = (struct profile){.name = take_ptr(&name)};
	return profile_take_text(grown, text, path, err);
}

static int is_profile(const struct dirent *entry)
{
	auto_free char *name = name_of(entry->d_name);

	return name != NULL;
}

static int read_each(struct profiles *profiles, int dir, const char *path, bool site,
		     struct dirent **entry, int count, struct err *err)
{
	if (count > PROFILES_MAX)
		return err_set(err, "'%s' has more than %d profiles", path, PROFILES_MAX);
	for (int i = 0; i < count; i++) {
		auto_free char *file = NULL;
		auto_fd fd = openat(dir, entry[i]->d_name,
				    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		if (asprintf(&file, "%s/%s", path, entry[i]->d_name) < 0 || fd < 0)
			return err_sys(err, "cannot read '%s/%s'", path, entry[i]->d_name);
		if (read_fd(profiles, fd, file, site, err) < 0)
			return -1;
	}
	return 0;
}

/* All of directory @path, which is open as @dir. */
static int read_all(struct profiles *profiles, int dir, const char *path, bool site,
		    struct err *err)
{
	struct dirent **entry = NULL;
	int count = scandirat(dir, ".", &entry, is_profile, alphasort);
	int result;

	if (count < 0)
		return err_sys(err, "cannot read '%s'", path);
	result = read_each(profiles, dir, path, site, entry, count, err);
	for (int i = 0; i < count; i++)
		free(entry[i]);
	free(entry);
	if (result == 0 && count == 0)
		return err_set(err, "there is no profile in '%s'", path);
	return result;
}

static int read_asked(struct profiles *profiles, const char *asked, struct err *err)
{
	auto_free char *named = NULL;
	bool own = asked && strchr(asked, '/');
	const char *path = asked ? asked : SITE_DIR;
	struct stat stat;
	auto_fd fd = -1;

	if (asked && !own) {
		if (asprintf(&named, SITE_DIR "/%s" SUFFIX, asked) < 0)
			return err_sys(err, "cannot read profile '%s'", asked);
		path = named;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT && named)
		return err_set(err, "there is no profile '%s' in '" SITE_DIR "'", asked);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot read '%s'", path);
	return S_ISDIR(stat.st_mode) && !named ? read_all(profiles, fd, path, !own, err)
					       : read_fd(profiles, fd, path, !own, err);
}

int profiles_read(const char *asked, struct profiles **out, struct err *err)
{
	auto_profiles *profiles = calloc(1, sizeof(*profiles));

	if (!profiles)
		return err_sys(err, "cannot read profiles");
	if (read_asked(profiles, asked, err) < 0)
		return -1;
	*out = take_ptr(&profiles);
	return 0;
}
