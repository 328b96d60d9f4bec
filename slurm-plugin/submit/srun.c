/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/srun.h"

#include "lib/file.h"
#include "lib/own.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* 816 bytes in 24.11; what else might be called "opt" is an int or a pointer. */
enum { OPTIONS_SIZE_MIN = 256, COMPONENTS_MAX = 128, WORDS_SIZE_MAX = 16 << 20 };

/* What the program and its libraries mean by a name. */
struct symbol {
	void *address;
	const struct link_map *object; /* which has it */
	const ElfW(Sym) * entry;
};

static bool find(const char *name, struct symbol *out)
{
	struct link_map *object = NULL;
	const ElfW(Sym) *entry = NULL;
	Dl_info info;

	out->address = dlsym(RTLD_DEFAULT, name);
	if (!out->address || dladdr1(out->address, &info, (void **)&object, RTLD_DL_LINKMAP) == 0 ||
	    dladdr1(out->address, &info, (void **)&entry, RTLD_DL_SYMENT) == 0 || !object || !entry)
		return false;
	out->object = object;
	out->entry = entry;
	return info.dli_saddr == out->address;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Whoever calls it something else loses no more than --mpi=pmix. */
static bool is_srun(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		return false;
	path[len] = '\0';
	return begins_with(base_name(path), "srun");
}

/* The first object of all is the program (rtld-audit(7), dl_iterate_phdr(3)). */
static bool is_program(const struct link_map *object)
{
	return object->l_prev == NULL;
}

/* Returns @function and srun's options, if both are certainly what they are taken for, else NULL.
 */
static void *find_function(const char *name, void **options)
{
	struct symbol opt, function;

	if (!is_srun() || !find("opt", &opt) || !find(name, &function) || !is_program(opt.object) ||
	    ELF64_ST_TYPE(opt.entry->st_info) != STT_OBJECT ||
	    opt.entry->st_size < OPTIONS_SIZE_MIN ||
	    ELF64_ST_TYPE(function.entry->st_info) != STT_FUNC ||
	    !(is_program(function.object) ||
	      begins_with(base_name(function.object->l_name), "libslurm")))
		return NULL;
	*options = opt.address;
	return function.address;
}

bool srun_forget_container(void)
{
	void *options;
	void *reset = find_function("slurm_option_reset", &options);

	return reset && ((bool (*)(void *, const char *))(uintptr_t)reset)(options, "container");
}

int srun_component(void)
{
	void *options;
	void *get = find_function("slurm_option_get", &options);
	const char *group;
	char *end;
	long number;

	if (!get)
		return -1;
	/* Slurm's memory, a few bytes, which only Slurm could free. */
	group = ((char *(*)(void *, const char *))(uintptr_t)get)(options, "het-group");
	if (!group)
		return 0;
	number = strtol(group, &end, 10);
	return end != group && *end == '\0' && number >= 0 && number < COMPONENTS_MAX ? (int)number
										      : -1;
}

bool srun_has_components(void)
{
	auto_free char *words = NULL;
	struct err ignored;
	size_t size;

	if (file_read(AT_FDCWD, "/proc/self/cmdline", WORDS_SIZE_MAX, &words, &size, &ignored) < 0)
		return true;
	for (const char *word = words; word < words + size; word += strlen(word) + 1)
		if (strcmp(word, ":") == 0)
			return true;
	return false;
}
