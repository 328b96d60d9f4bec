/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/closure_private.h"

#include "lib/file.h"
#include "lib/path.h"
#include "mpi-glue/loader/hwcaps.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOKUPS_MAX = 1 << 16,
	CACHE_MAX = 8 << 20,
	FOLDERS_MAX = 1 << 14,
	PATH_FOLDERS_MAX = 1 << 10, /* in one search path */
};

#define CACHE "/etc/ld.so.cache"
#define LEVELS "glibc-hwcaps"

void closure_hit_clear(struct closure_hit *hit)
{
	free(hit->path);
	elf_free(hit->elf);
	free(hit->why);
	free(hit->real);
	*hit = (struct closure_hit){0};
}

void closure_search_clear(struct closure *closure)
{
	for (size_t i = 0; i < closure->folders; i++)
		free(closure->folder[i].path);
	free(closure->folder);
	names_clear(&closure->folder_names);
	free(closure->library_path);
	free(closure->library.folder);
	free(closure->system.folder);
	free(closure->cache_text);
}

static struct closure_node *find_file(const struct closure *closure, const struct stat *stat)
{
	for (size_t i = 0; i < closure->count; i++) {
		const struct closure_object *object = &closure->node[i]->object;

		if (object->path && object->inode == stat->st_ino && object->device == stat->st_dev)
			return closure->node[i];
	}
	return NULL;
}

/*
 * The real path of a program that asks for its $ORIGIN, as the kernel has it: a symlink in /usr/bin
 * is not what it means. Left out where it cannot be told; then the path that was asked for counts.
 */
static void find_real_path(const struct closure *closure, int fd, struct closure_hit *hit)
{
	const char *text = hit->elf->runpath ? hit->elf->runpath : hit->elf->rpath;
	char link[64], path[PATH_MAX], root[PATH_MAX];
	ssize_t size, root_size;

	if (!hit->elf->program || !text || !strchr(text, '$'))
		return;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", closure->root);
	root_size = readlink(link, root, sizeof(root) - 1);
	if (size <= 0 || root_size <= 0)
		return;
	path[size] = '\0';
	root[root_size] = '\0';
	if (root_size == 1)
		root_size = 0;
	if (strncmp(path, root, (size_t)root_size) == 0 && path[root_size] == '/')
		hit->real = strdup(path + root_size);
}

/* Keep why @path cannot be loaded. Returns 1: it was found. */
static int keep_broken(struct closure_hit *hit, const char *why, struct err *err)
{
	hit->why = strdup(why);
	return hit->why ? 1 : closure_no_memory(err);
}

/* Whether @path is there for the loader: 1 with @hit, 0 to go on searching. */
static int try_path(struct closure *closure, const char *path, bool asked, struct closure_hit *hit,
		    struct err *err)
{
	auto_fd fd = -1;
	struct err cause;
	int result;

	if (++closure->lookups > LOOKUPS_MAX)
		return err_set(err, "'%s' needs too many libraries to be looked for", path);
	/* What is no file is not waited for. */
	fd = path_open_in(closure->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &hit->stat) < 0 || !S_ISREG(hit->stat.st_mode))
		return 0;
	hit->known = find_file(closure, &hit->stat);
	if (hit->known)
		return 1;
	result = elf_read(fd, path, &hit->elf, &cause);
	if (result == ELF_GOOD && hit->elf->machine != closure->machine) {
		elf_free(take_ptr(&hit->elf));
		result = ELF_OTHER;
	}
	if (result == ELF_OTHER && !asked)
		return 0;
	hit->path = strdup(path);
	if (!hit->path)
		return closure_no_memory(err);
	if (result == ELF_OTHER)
		return keep_broken(hit, "it is of another machine", err);
	if (result < 0)
		return keep_broken(hit, cause.text, err);
	find_real_path(closure, fd, hit);
	return 1;
}

/* Look at folder @path once: whether it is there, and has copies for better processors. */
static int add_folder(struct closure *closure, const char *path, size_t *number, struct err *err)
{
	char levels[PATH_MAX];
	struct closure_folder *list = closure->folder, *folder;
	size_t count = closure->folders;
	auto_fd fd = path_open_in(closure->root, path, O_PATH | O_DIRECTORY), below = -1;

	if (count >= FOLDERS_MAX)
		return err_set(err, "'%s' is one folder too many to look for libraries", path);
	if ((count & (count - 1)) == 0) {
		list = realloc(list, (count ? count * 2 : 1) * sizeof(*list));
		if (!list)
			return closure_no_memory(err);
		closure->folder = list;
	}
	folder = &list[count];
	*folder = (struct closure_folder){.path = strdup(path), .exists = fd >= 0};
	if (!folder->path)
		return closure_no_memory(err);
	closure->folders++;
	if (fd >= 0 && snprintf(levels, sizeof(levels), "%s/" LEVELS, path) < PATH_MAX)
		below = path_open_in(closure->root, levels, O_PATH | O_DIRECTORY);
	folder->has_levels = below >= 0;
	*number = count;
	if (names_add(&closure->folder_names, folder->path, strlen(path), count) < 0)
		return closure_no_memory(err);
	return 0;
}

/* Put folder @path, absolute, at the end of @list. */
static int add_to_path(struct closure *closure, struct closure_path *list, char *path,
		       struct err *err)
{
	size_t len = strlen(path), number;
	const struct name_place *place;
	size_t *folder = list->folder;

	if (list->count >= PATH_FOLDERS_MAX)
		return err_set(err, "a library's search path has more than %d folders",
			       PATH_FOLDERS_MAX);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	place = names_find(&closure->folder_names, path, len);
	if (place)
		number = place->at;
	else if (add_folder(closure, path, &number, err) < 0)
		return -1;
	if ((list->count & (list->count - 1)) == 0) {
		folder = realloc(folder, (list->count ? list->count * 2 : 1) * sizeof(*folder));
		if (!folder)
			return closure_no_memory(err);
		list->folder = folder;
	}
	folder[list->count++] = number;
	return 0;
}

static bool is_there(const struct closure *closure, const char *path)
{
	auto_fd fd = path_open_in(closure->root, path, O_PATH);

	return fd >= 0;
}

/*
 * The system's folders, and $LIB, are built into a glibc. Debian's are of the machine's name,
 * others' are lib64 or lib: the one with libc.so.6 tells.
 */
static int find_system(struct closure *closure, struct err *err)
{
	const char *triplet =
		closure->machine == EM_AARCH64 ? "lib/aarch64-linux-gnu" : "lib/x86_64-linux-gnu";
	const char *const candidates[] = {triplet, "lib64"};
	char path[PATH_MAX];

	if (closure->system.ready)
		return 0;
	closure->lib = NULL;
	for (size_t i = 0; i < COUNT_OF(candidates) && !closure->lib; i++) {
		(void)snprintf(path, sizeof(path), "/%s/libc.so.6", candidates[i]);
		if (is_there(closure, path))
			closure->lib = candidates[i];
	}
	for (int i = 0; closure->lib && i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", i ? "/usr" : "", closure->lib);
		if (add_to_path(closure, &closure->system, path, err) < 0)
			return -1;
	}
	for (int i = 0; (!closure->lib || closure->lib == triplet) && i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/lib", i ? "/usr" : "");
		if (add_to_path(closure, &closure->system, path, err) < 0)
			return -1;
	}
	if (!closure->lib)
		closure->lib = "lib";
	closure->system.ready = true;
	return 0;
}

/* The value of the token that @text, behind a '$', begins with, and its length; NULL for none. */
static const char *token_at(const struct closure *closure, const struct closure_node *of,
			    const char *text, size_t *len)
{
	const struct {
		const char *name, *value;
	} tokens[] = {
		{"ORIGIN", of ? of->origin : NULL},
		{"LIB", closure->lib},
		{"PLATFORM", closure->machine == EM_AARCH64 ? "aarch64" : "x86_64"},
	};
	bool brace = *text == '{';

	for (size_t i = 0; i < COUNT_OF(tokens); i++) {
		size_t name = strlen(tokens[i].name);

		if (strncmp(text + brace, tokens[i].name, name) != 0 ||
		    (brace && text[1 + name] != '}'))
			continue;
		*len = name + (brace ? 2 : 0);
		return tokens[i].value;
	}
	*len = 0;
	return NULL;
}

/*
 * Write the @size bytes of @text with its tokens replaced. 1, or 0 for what the loader would drop:
 * a token without a value, or too long a name. A '$' before anything else is a letter.
 */
static int expand(struct closure *closure, const struct closure_node *of, const char *text,
		  size_t size, char *out, struct err *err)
{
	size_t used = 0, len;

	if (memchr(text, '$', size) && find_system(closure, err) < 0)
		return -1;
	for (size_t i = 0; i < size; i++) {
		const char *value = &text[i];
		size_t value_len = 1;

		if (text[i] == '$') {
			const char *token = token_at(closure, of, text + i + 1, &len);

			if (len > 0 && !token)
				return 0;
			if (len > 0) {
				value = token;
				value_len = strlen(token);
				i += len;
			}
		}
		if (value_len >= PATH_MAX - used)
			return 0;
		memcpy(out + used, value, value_len);
		used += value_len;
	}
	out[used] = '\0';
	return 1;
}

/* Make @path from @text, whose folders stand between any of @marks. */
static int make_path(struct closure *closure, struct closure_path *path, const char *text,
		     const char *marks, const struct closure_node *of, struct err *err)
{
	char folder[PATH_MAX];

	if (path->ready)
		return 0;
	path->ready = true;
	while (text && *text) {
		size_t size = strcspn(text, marks);
		int result = expand(closure, of, text, size, folder, err);

		if (result < 0 ||
		    (result > 0 && folder[0] == '/' && add_to_path(closure, path, folder, err) < 0))
			return -1;
		text += size + (text[size] != '\0');
	}
	return 0;
}

/* Look for @name in one folder: first for its copies for better processors. */
static int try_folder(struct closure *closure, const struct closure_folder *folder,
		      const char *name, struct closure_hit *hit, struct err *err)
{
	const char *const *level = NULL;
	char path[PATH_MAX];
	int result = 0;

	if (!folder->exists)
		return 0;
	if (folder->has_levels)
		level = hwcaps_levels(closure->machine);
	for (; result == 0 && level && *level; level++)
		if (snprintf(path, sizeof(path), "%s/" LEVELS "/%s/%s", folder->path, *level,
			     name) < PATH_MAX)
			result = try_path(closure, path, false, hit, err);
	if (result == 0 && snprintf(path, sizeof(path), "%s/%s",
				    folder->path[1] ? folder->path : "", name) < PATH_MAX)
		result = try_path(closure, path, false, hit, err);
	return result;
}

static int try_all(struct closure *closure, const struct closure_path *path, const char *name,
		   struct closure_hit *hit, struct err *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < path->count; i++)
		result = try_folder(closure, &closure->folder[path->folder[i]], name, hit, err);
	return result;
}

/* The DT_RPATH of @node, if it has one that counts. */
static int try_rpath(struct closure *closure, struct closure_node *node, const char *name,
		     struct closure_hit *hit, struct err *err)
{
	const struct elf *elf = node->object.elf;

	if (!elf || !elf->rpath)
		return 0;
	if (make_path(closure, &node->path, elf->rpath, ":", node, err) < 0)
		return -1;
	return try_all(closure, &node->path, name, hit, err);
}

/* The DT_RPATHs of all who lead to it, then the program's, if it was not among them. */
static int try_rpaths(struct closure *closure, struct closure_node *by, const char *name,
		      struct closure_hit *hit, struct err *err)
{
	bool was_program = false;
	int result = 0;

	if (by && by->object.elf && by->object.elf->runpath)
		return 0;
	for (; result == 0 && by; by = (struct closure_node *)by->object.by) {
		was_program |= by == closure->program;
		result = try_rpath(closure, by, name, hit, err);
	}
	if (result == 0 && closure->program && !was_program)
		result = try_rpath(closure, closure->program, name, hit, err);
	return result;
}

static int try_runpath(struct closure *closure, struct closure_node *by, const char *name,
		       struct closure_hit *hit, struct err *err)
{
	if (!by || !by->object.elf || !by->object.elf->runpath)
		return 0;
	if (make_path(closure, &by->path, by->object.elf->runpath, ":", by, err) < 0)
		return -1;
	return try_all(closure, &by->path, name, hit, err);
}

/* Read the cache, once. Without one, or with one that makes no sense, the loader goes on, too. */
static void read_cache(struct closure *closure)
{
	auto_fd fd = -1;
	size_t size = 0;
	struct err err;

	if (closure->cache_ready)
		return;
	closure->cache_ready = true;
	fd = path_open_in(closure->root, CACHE, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || file_read_fd(fd, CACHE, CACHE_MAX, &closure->cache_text, &size, &err) < 0)
		return;
	if (ldcache_open(&closure->cache, closure->cache_text, size, closure->machine) < 0) {
		free(closure->cache_text);
		closure->cache_text = NULL;
	}
}

static bool is_of_system(const struct closure *closure, const char *path)
{
	for (size_t i = 0; i < closure->system.count; i++)
		if (path_is_below(path, closure->folder[closure->system.folder[i]].path))
			return true;
	return false;
}

static int try_cache(struct closure *closure, const char *name, bool no_default,
		     struct closure_hit *hit, struct err *err)
{
	const char *path;

	read_cache(closure);
	if (!closure->cache_text)
		return 0;
	path = ldcache_find(&closure->cache, name,
			    closure->cache.level_count ? hwcaps_levels(closure->machine) : NULL);
	if (!path || path[0] != '/')
		return 0;
	if (no_default) {
		if (find_system(closure, err) < 0)
			return -1;
		if (is_of_system(closure, path))
			return 0;
	}
	return try_path(closure, path, false, hit, err);
}

/* A name with a slash: that file and no other. */
static int try_file(struct closure *closure, const char *name, const struct closure_node *by,
		    struct closure_hit *hit, struct err *err)
{
	char path[PATH_MAX];
	int result = expand(closure, by, name, strlen(name), path, err);

	if (result <= 0 || path[0] != '/')
		return result < 0 ? -1 : 0;
	return try_path(closure, path, true, hit, err);
}

int closure_search(struct closure *closure, const char *name, struct closure_node *by,
		   struct closure_hit *hit, struct err *err)
{
	const struct closure_node *of = by ? by : closure->program;
	bool no_default = of && of->object.elf && of->object.elf->no_default;
	int result;

	if (strchr(name, '/'))
		return try_file(closure, name, by, hit, err);
	result = try_rpaths(closure, by, name, hit, err);
	if (result == 0 && make_path(closure, &closure->library, closure->library_path, ":;",
				     closure->program, err) < 0)
		return -1;
	if (result == 0)
		result = try_all(closure, &closure->library, name, hit, err);
	if (result == 0)
		result = try_runpath(closure, by, name, hit, err);
	if (result == 0)
		result = try_cache(closure, name, no_default, hit, err);
	if (result == 0 && !no_default) {
		if (find_system(closure, err) < 0)
			return -1;
		result = try_all(closure, &closure->system, name, hit, err);
	}
	return result;
}
