/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/srun.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* 816 bytes in 24.11; what else might be called "opt" is an int or a pointer. */
enum { OPTIONS_SIZE_MIN = 256 };

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

bool srun_forget_container(void)
{
	struct symbol options, reset;

	if (!is_srun() || !find("opt", &options) || !find("slurm_option_reset", &reset) ||
	    !is_program(options.object) || ELF64_ST_TYPE(options.entry->st_info) != STT_OBJECT ||
	    options.entry->st_size < OPTIONS_SIZE_MIN ||
	    ELF64_ST_TYPE(reset.entry->st_info) != STT_FUNC ||
	    !(is_program(reset.object) || begins_with(base_name(reset.object->l_name), "libslurm")))
		return false;
	return ((bool (*)(void *, const char *))(uintptr_t)reset.address)(options.address,
									  "container");
}
