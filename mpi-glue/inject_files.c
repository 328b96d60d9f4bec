/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/inject_private.h"

#include "lib/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#define LIBDIR "$LIBDIR"

enum { FOUND_MAX = 4096 };

static int glob_from(const char *base, const char *pattern, struct words *out);

/* Go on with each entry of @base that fits the first component of @pattern. */
static int glob_component(const char *base, const char *pattern, size_t len, struct words *out)
{
	auto_free char *component = strndup(pattern, len);
	struct dirent **entry = NULL;
	int count = component ? scandir(*base ? base : "/", &entry, NULL, alphasort) : -1;
	int result = 0;

	for (int i = 0; i < count; i++) {
		auto_free char *path = NULL;

		if (result == 0 && entry[i]->d_name[0] != '.' &&
		    fnmatch(component, entry[i]->d_name, 0) == 0)
			result = asprintf(&path, "%s/%s", base, entry[i]->d_name) < 0
					 ? -1
					 : glob_from(path, pattern + len, out);
		free(entry[i]);
	}
	free(entry);
	return component ? result : -1;
}

/* Append what there is below @base that fits @pattern, by byte order; FOUND_MAX at most. */
static int glob_from(const char *base, const char *pattern, struct words *out)
{
	auto_free char *path = NULL;
	size_t len;

	pattern += strspn(pattern, "/");
	len = strcspn(pattern, "/");
	if (len == 0)
		return out->count < FOUND_MAX && access(base, F_OK) == 0 ? words_add(out, base) : 0;
	if (strcspn(pattern, "*?[") < len)
		return glob_component(base, pattern, len, out);
	if (asprintf(&path, "%s/%.*s", base, (int)len, pattern) < 0)
		return -1;
	return glob_from(path, pattern + len, out);
}

bool candidate_has(const char *pattern)
{
	auto_words found = {0};

	return glob_from("", pattern, &found) == 0 && found.count > 0;
}

/* @text with the library's folder in the place of $LIBDIR; new, NULL without memory. */
static char *expand(const char *text, const char *folder)
{
	const char *at = strstr(text, LIBDIR);
	char *out = NULL;

	if (!at)
		return strdup(text);
	if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, folder, at + strlen(LIBDIR)) < 0)
		return NULL;
	return out;
}

static int glob_all(const struct words *patterns, const char *folder, struct words *out)
{
	for (size_t i = 0; i < patterns->count; i++) {
		auto_free char *pattern = expand(patterns->item[i], folder);

		if (!pattern || glob_from("", pattern, out) < 0)
			return -1;
	}
	return 0;
}

/* Whether ordinary libraries are in @folder: what an image has there must stay visible. */
static bool is_shared(const char *folder, const struct candidate *it)
{
	static const char *const folders[] = {
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64",
		"/lib/*-linux-gnu", "/usr/lib/*-linux-gnu",
	};

	for (size_t i = 0; i < COUNT_OF(folders); i++)
		if (fnmatch(folders[i], folder, FNM_PATHNAME) == 0)
			return true;
	return strcmp(folder, it->folder) == 0;
}

/* The directory of file @path, or @path itself if it is one, without symlinks and ".."; else as it
 * is written, for by that name programs look for it. New, or NULL. */
static char *folder_of(const char *path)
{
	struct stat stat_;
	char *folder;

	if (strstr(path, "/../")) {
		auto_free char *real = realpath(path, NULL);

		return real ? folder_of(real) : NULL;
	}
	folder = strdup(path);
	if (folder && (stat(path, &stat_) < 0 || !S_ISDIR(stat_.st_mode)))
		*strrchr(folder, '/') = '\0';
	return folder;
}

/* Note the folders of @paths, each once. */
static int add_places(struct candidate *it, const struct words *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		auto_free char *folder = folder_of(paths->item[i]);
		bool known = !folder || !*folder || is_shared(folder, it);

		for (size_t j = 0; j < it->places.count && !known; j++)
			known = strcmp(it->places.item[j], folder) == 0;
		if (!known && words_add(&it->places, folder) < 0)
			return -1;
	}
	return 0;
}

int candidate_find_files(struct candidate *it, struct err *err)
{
	auto_free char *real = realpath(it->library->path, NULL);
	auto_words data = {0};

	if (!real)
		return err_sys(err, "cannot find '%s'", it->library->path);
	*strrchr(real, '/') = '\0';
	it->folder = take_ptr(&real);
	if (glob_all(&it->profile->plugins, it->folder, &it->plugins) < 0 ||
	    glob_all(&it->profile->data, it->folder, &data) < 0 ||
	    add_places(it, &it->plugins) < 0 || add_places(it, &data) < 0)
		return err_sys(err, "cannot look for the host's MPI");
	return 0;
}

/* Whether file @path of the host comes with a directory. */
static bool is_in_place(const struct candidate *it, const char *path)
{
	for (size_t i = 0; i < it->places.count; i++) {
		auto_free char *folder = folder_of(path);

		if (folder && strcmp(folder, it->places.item[i]) == 0)
			return true;
	}
	return false;
}

static bool is_target(const struct edits *edits, const char *target)
{
	for (size_t i = 0; i < edits->count; i++)
		if (strcmp(edits->item[i].target, target) == 0)
			return true;
	return false;
}

/* A mount's target for the image's file @object, without ".."; NULL if it would be another file. */
static char *real_target(const struct decision *it, const struct closure_object *object)
{
	bool climbs = strstr(object->path, "/../") != NULL;
	auto_free char *path = climbs ? path_clean(object->path) : strdup(object->path);
	auto_fd fd = path && climbs ? path_open_in(it->root->fd, path, O_PATH) : -1;
	struct stat stat;

	/* By words alone ".." may lead elsewhere, where there are symlinks. */
	if (climbs && (fd < 0 || fstat(fd, &stat) < 0 || stat.st_dev != object->device ||
		       stat.st_ino != object->inode))
		return NULL;
	return take_ptr(&path);
}

static bool is_same_file(const struct closure_object *a, const struct closure_object *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* Whether the file of the image's object @image was bound over already: two names of one file. */
static bool is_covered(const struct decision *it, const struct edits *edits,
		       const struct closure_object *image)
{
	for (size_t i = 0; i < edits->count; i++) {
		auto_fd fd = edits->item[i].kind != EDIT_OVER
				     ? -1
				     : path_open_in(it->root->fd, edits->item[i].target, O_PATH);
		struct stat stat;

		if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_dev == image->device &&
		    stat.st_ino == image->inode)
			return true;
	}
	return false;
}

/* Put the host's @host over the image's @image, if it has a file of its own there. */
static int tell_over(const struct decision *it, const struct closure_object *host,
		     const struct closure_object *image, const char *why, struct edits *edits,
		     struct err *err)
{
	auto_free char *target = NULL;

	if (!image || !image->path ||
	    (image->state != CLOSURE_FOUND && image->state != CLOSURE_MUSL) ||
	    is_same_file(host, image) || is_covered(it, edits, image))
		return 0;
	target = real_target(it, image);
	if (!target)
		return err_set(err, "cannot cover '%s' of '%s'", image->path, it->root->image);
	return edits_add(edits, EDIT_OVER, host->path, target, why, err);
}

/* Put it under @name into the directory that programs search first. */
static int tell_library(const struct closure_object *host, const char *name, const char *why,
			struct edits *edits, struct err *err)
{
	const char *slash = strrchr(name, '/');
	auto_free char *target = NULL;

	if (asprintf(&target, EDITS_LIBRARIES "/%s", slash ? slash + 1 : name) < 0)
		return err_sys(err, "cannot plan '%s'", name);
	return is_target(edits, target) ? 0
					: edits_add(edits, EDIT_LIBRARY, host->path, target, why,
						    err);
}

static int tell_line(const struct decision *it, const struct verdict_line *line,
		     struct edits *edits, struct err *err)
{
	const struct closure_object *host = line->host;
	bool libc = closure_is_libc(line->name);

	if (line->take != VERDICT_HOST || !host->path || is_in_place(it->candidate, host->path))
		return 0;
	if (tell_over(it, host, line->image, line->why, edits, err) < 0)
		return -1;
	/* Where the image has the libc, there it is, for programs name its loader by its path. */
	if (libc && line->image)
		return 0;
	if (tell_library(host, line->name, line->why, edits, err) < 0)
		return -1;
	return tell_library(host, host->name, line->why, edits, err);
}

/* The library, under the name that the program knows. */
static int tell_wanted(const struct decision *it, struct edits *edits, struct err *err)
{
	const struct closure_object *host = it->candidate->library;
	const char *why = "the program knows it by this name";

	if (!it->wanted || (host->elf->soname && strcmp(host->elf->soname, it->wanted) == 0))
		return 0;
	if (tell_over(it, host, closure_find(it->image, it->wanted), why, edits, err) < 0)
		return -1;
	return tell_library(host, it->wanted, why, edits, err);
}

/* The loader that the program names, should it be another file than what the libc's is found as. */
static int tell_loader(const struct decision *it, struct edits *edits, struct err *err)
{
	const char *name = it->program ? it->program->elf->interpreter : NULL;
	const struct closure_object *image, *host;

	if (!it->host_libc || !name)
		return 0;
	if (closure_add(it->image, name, NULL, &image, err) < 0 ||
	    closure_add(it->candidate->closure, name, NULL, &host, err) < 0)
		return -1;
	if (host->state != CLOSURE_FOUND)
		return err_set(err, "this machine has no '%s', which '%s' is started by", name,
			       it->program->path);
	return tell_over(it, host, image, "it is of the libc", edits, err);
}

static int tell_environment(const struct decision *it, struct edits *edits, struct err *err)
{
	const struct edits *own = &it->candidate->profile->edits;

	if (edits_add(edits, EDIT_PREPEND, EDITS_LIBRARIES, "LD_LIBRARY_PATH",
		      "the host's libraries are there", err) < 0)
		return -1;
	for (size_t i = 0; i < own->count; i++) {
		const struct edit *edit = &own->item[i];
		auto_free char *value =
			edit->source ? expand(edit->source, it->candidate->folder) : NULL;

		if (edit->source && !value)
			return err_sys(err, "cannot plan '%s'", edit->target);
		if (edits_add(edits, edit->kind, value, edit->target, edit->why, err) < 0)
			return -1;
	}
	return 0;
}

int decision_tell(const struct decision *it, struct edits *edits, struct err *err)
{
	const struct words *places = &it->candidate->places;
	const struct verdict_table *verdict = it->verdict;

	/* Directories first: a file of the image's may be in one. */
	for (size_t i = 0; i < places->count; i++)
		if (edits_add(edits, EDIT_DIRECTORY, places->item[i], places->item[i],
			      "the library looks here for plugins or data", err) < 0)
			return -1;
	for (size_t i = 0; i < verdict->count; i++)
		if (tell_line(it, &verdict->line[i], edits, err) < 0)
			return -1;
	if (tell_wanted(it, edits, err) < 0 || tell_loader(it, edits, err) < 0)
		return -1;
	return tell_environment(it, edits, err);
}
