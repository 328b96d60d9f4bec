/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/closure_private.h"

#include "lib/path.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS_MAX = 4096, NEEDS_MAX = 1 << 18, BYTES_MAX = 64 << 20, FIRST_ROOM = 32 };

int closure_no_memory(struct err *err)
{
	return err_sys(err, "cannot look for libraries");
}

static uint16_t this_machine(void)
{
#if defined(__aarch64__)
	return EM_AARCH64;
#else
	return EM_X86_64;
#endif
}

struct closure *closure_new(int root, const struct closure_options *options)
{
	auto_closure *closure = calloc(1, sizeof(*closure));

	if (!closure)
		return NULL;
	closure->root = root;
	closure->machine = options && options->machine ? options->machine : this_machine();
	closure->libc = options && options->libc;
	if (options && options->library_path) {
		closure->library_path = strdup(options->library_path);
		if (!closure->library_path)
			return NULL;
	}
	return take_ptr(&closure);
}

static void free_node(struct closure_node *node)
{
	if (!node)
		return;
	elf_free((struct elf *)node->object.elf);
	free((char *)node->object.path);
	free((char *)node->object.why);
	free(node->origin);
	free(node->path.folder);
	free(node);
}

static void free_node_at(struct closure_node **node)
{
	free_node(*node);
}

void closure_free(struct closure *closure)
{
	if (!closure)
		return;
	for (size_t i = 0; i < closure->count; i++)
		free_node(closure->node[i]);
	free(closure->node);
	names_clear(&closure->found);
	names_clear(&closure->missing);
	words_clear(&closure->texts);
	closure_search_clear(closure);
	free(closure);
}

void closure_freep(struct closure **closure)
{
	closure_free(*closure);
}

static struct closure_node *find_in(const struct closure *closure, const struct names *names,
				    const char *name)
{
	struct name_place *place = names_find(names, name, strlen(name));

	return place ? closure->node[place->at] : NULL;
}

/* Note that @node answers to @name, which lives as long as the closure; the first one stays. */
static int answer_to(struct names *names, const char *name, size_t number, struct err *err)
{
	size_t len = strlen(name);

	if (names_find(names, name, len))
		return 0;
	return names_add(names, name, len, number) < 0 ? closure_no_memory(err) : 0;
}

/* Put @node, the caller's until then, at the end. */
static int append(struct closure *closure, struct closure_node **node, struct err *err)
{
	struct closure_node **list = closure->node;
	size_t count = closure->count;

	if (count >= OBJECTS_MAX)
		return err_set(err, "'%s' needs more than %d libraries",
			       closure->node[0]->object.name, OBJECTS_MAX);
	if (count == 0 || (count >= FIRST_ROOM && (count & (count - 1)) == 0)) {
		list = realloc(list,
			       (count ? count * 2 : FIRST_ROOM) * sizeof(struct closure_node *));
		if (!list)
			return closure_no_memory(err);
		closure->node = list;
	}
	(*node)->object.number = count;
	list[closure->count++] = take_ptr(node);
	return 0;
}

/* An object that has no file, or none that was looked at. Known by its name, and only once. */
static int add_absent(struct closure *closure, const char *name, const struct closure_node *by,
		      enum closure_state state, struct closure_node **out, struct err *err)
{
	CLEANUP(free_node_at) struct closure_node *node = NULL;

	*out = find_in(closure, &closure->missing, name);
	if (*out)
		return 0;
	node = calloc(1, sizeof(*node));
	if (!node)
		return closure_no_memory(err);
	node->object = (struct closure_object){.state = state, .name = name};
	node->object.by = by ? &by->object : NULL;
	*out = node;
	if (append(closure, &node, err) < 0)
		return -1;
	return answer_to(&closure->missing, name, closure->count - 1, err);
}

/* musl's libc is "libc.so", which Alpine calls "libc.musl-x86_64.so.1"; glibc's is never that. */
static bool is_of_musl(const struct elf *elf)
{
	if (elf->interpreter && strstr(elf->interpreter, "/ld-musl-"))
		return true;
	for (size_t i = 0; i < elf->needed_count; i++)
		if (strcmp(elf->needed[i], "libc.so") == 0 ||
		    strncmp(elf->needed[i], "libc.musl-", 10) == 0)
			return true;
	return false;
}

/* What $ORIGIN stands for: the folder of a library as it was found, of a program as it really is.
 */
static int note_origin(struct closure_node *node, const char *path)
{
	const char *slash = strrchr(path, '/');

	node->origin = strndup(path, slash > path ? (size_t)(slash - path) : 1);
	return node->origin ? 0 : -1;
}

/* A new object of what was found, which is left to it. */
static int add_found(struct closure *closure, const char *name, const struct closure_node *by,
		     struct closure_hit *hit, struct closure_node **out, struct err *err)
{
	CLEANUP(free_node_at) struct closure_node *node = calloc(1, sizeof(*node));
	struct closure_object *object = node ? &node->object : NULL;
	size_t number = closure->count;

	if (!node || note_origin(node, hit->real ? hit->real : hit->path) < 0)
		return closure_no_memory(err);
	*object = (struct closure_object){.name = name,
					  .by = by ? &by->object : NULL,
					  .device = hit->stat.st_dev,
					  .inode = hit->stat.st_ino};
	object->path = take_ptr(&hit->path);
	object->why = take_ptr(&hit->why);
	object->elf = take_ptr(&hit->elf);
	object->state = !object->elf		  ? CLOSURE_BROKEN
			: is_of_musl(object->elf) ? CLOSURE_MUSL
						  : CLOSURE_FOUND;
	closure->bytes += object->elf ? object->elf->bytes : 0;
	if (closure->bytes > BYTES_MAX)
		return err_set(err, "'%s' needs libraries with too many names", name);
	*out = node;
	if (append(closure, &node, err) < 0)
		return -1;
	if (object->elf && object->elf->program && !by && !closure->program)
		closure->program = *out;
	if (answer_to(&closure->found, object->name, number, err) < 0 ||
	    answer_to(&closure->found, object->path, number, err) < 0)
		return -1;
	return object->elf && object->elf->soname
		       ? answer_to(&closure->found, object->elf->soname, number, err)
		       : 0;
}

/* The object that @by gets for @name, which lives as long as the closure. */
static int load(struct closure *closure, const char *name, struct closure_node *by,
		struct closure_node **out, struct err *err)
{
	auto_hit hit = {0};
	int result;

	if (++closure->needs > NEEDS_MAX)
		return err_set(err, "'%s' needs too many libraries", closure->node[0]->object.name);
	*out = find_in(closure, &closure->found, name);
	if (*out)
		return 0;
	if (!closure->libc && closure_is_libc(name))
		return add_absent(closure, name, by, CLOSURE_LIBC, out, err);
	result = closure_search(closure, name, by, &hit, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return add_absent(closure, name, by, CLOSURE_MISSING, out, err);
	if (!hit.known)
		return add_found(closure, name, by, &hit, out, err);
	*out = hit.known;
	return answer_to(&closure->found, name, hit.known->object.number, err);
}

int closure_add(struct closure *closure, const char *name, const struct closure_object *by,
		const struct closure_object **out, struct err *err)
{
	struct closure_node *node, *other, *of = (struct closure_node *)by;
	size_t at = closure->count;

	if (words_add(&closure->texts, name) < 0)
		return closure_no_memory(err);
	if (load(closure, closure->texts.item[closure->texts.count - 1], of, &node, err) < 0)
		return -1;
	/* Those found meanwhile come after: breadth first. */
	for (; at < closure->count; at++) {
		struct closure_node *next = closure->node[at];

		if (next->object.state != CLOSURE_FOUND)
			continue;
		for (size_t i = 0; i < next->object.elf->needed_count; i++)
			if (load(closure, next->object.elf->needed[i], next, &other, err) < 0)
				return -1;
	}
	if (out)
		*out = &node->object;
	return 0;
}

size_t closure_count(const struct closure *closure)
{
	return closure->count;
}

const struct closure_object *closure_at(const struct closure *closure, size_t number)
{
	return &closure->node[number]->object;
}

const struct closure_object *closure_find(const struct closure *closure, const char *name)
{
	struct closure_node *node = find_in(closure, &closure->found, name);

	if (!node)
		node = find_in(closure, &closure->missing, name);
	return node ? &node->object : NULL;
}

int closure_open(const struct closure *closure, const struct closure_object *object,
		 struct err *err)
{
	auto_fd fd = -1;
	struct stat stat;

	if (!object->path)
		return err_set(err, "there is no '%s'", object->name);
	fd = path_open_in(closure->root, object->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot open '%s'", object->path);
	if (stat.st_dev != object->device || stat.st_ino != object->inode)
		return err_set(err, "'%s' is another file by now", object->path);
	return take_fd(&fd);
}

size_t closure_lookups(const struct closure *closure)
{
	return closure->lookups;
}

/* What glibc 2.17 to 2.41 installs as one. libnsl.so.1 was of it until 2.32; so is libmvec. */
#define FAMILY                                                                                     \
	"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",   \
		"libresolv.so.2", "libanl.so.1", "libmvec.so.1", "libnsl.so.1",                    \
		"libnss_compat.so.2", "libnss_dns.so.2", "libnss_files.so.2",                      \
		"libnss_hesiod.so.2", "libnss_db.so.2", "libthread_db.so.1",                       \
		"libBrokenLocale.so.1", "libc_malloc_debug.so.0", NULL

static const char *const x86_64_names[] = {"ld-linux-x86-64.so.2", FAMILY};
static const char *const aarch64_names[] = {"ld-linux-aarch64.so.1", FAMILY};

const char *const *closure_libc_names(uint16_t machine)
{
	return machine == EM_AARCH64 ? aarch64_names : x86_64_names;
}

bool closure_is_libc(const char *name)
{
	if (strncmp(name, "ld-linux", 8) == 0)
		return true;
	for (const char *const *known = x86_64_names + 1; *known; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}
