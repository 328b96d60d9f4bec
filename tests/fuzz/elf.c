/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what reads ELF objects and the cache of the loader: clang
 * -fsanitize=fuzzer,address,undefined. The first byte says what the others are.
 */
#include "lib/own.h"
#include "mpi-glue/loader/elf.h"
#include "mpi-glue/loader/ldcache.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t letters; /* of all names, so that they are looked at */

static void see(void *arg, const char *name)
{
	(void)arg;
	letters += strlen(name);
}

static void see_symbol(void *arg, const char *name, bool defined)
{
	(void)arg;
	letters += strlen(name) + defined;
}

static void see_object(const struct elf *elf)
{
	letters += elf->soname ? strlen(elf->soname) : 0;
	letters += elf->rpath ? strlen(elf->rpath) : 0;
	letters += elf->runpath ? strlen(elf->runpath) : 0;
	letters += elf->interpreter ? strlen(elf->interpreter) : 0;
	for (size_t i = 0; i < elf->needed_count; i++)
		letters += strlen(elf->needed[i]);
	for (size_t i = 0; i < elf->defined_count; i++)
		letters += strlen(elf->defined[i]);
	for (size_t i = 0; i < elf->need_count; i++)
		for (size_t j = 0; j < elf->need[i].count; j++)
			letters += strlen(elf->need[i].version[j].name);
}

static void read_object(const uint8_t *data, size_t size)
{
	static int fd = -1;
	auto_elf *elf = NULL;
	struct err err;

	if (fd < 0)
		fd = memfd_create("object", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (elf_read(fd, "object", &elf, &err) == ELF_GOOD)
		see_object(elf);
	(void)elf_symbols(fd, "object", "", see_symbol, NULL, &err);
}

static void read_cache(const uint8_t *data, size_t size)
{
	static const char *const levels[] = {"x86-64-v3", "x86-64-v2", NULL};
	static const char *const names[] = {"libc.so.6", "libm.so.6", "libz.so.1", "a"};
	struct ldcache cache;

	(void)ldcache_names(data, size, see, NULL);
	if (ldcache_open(&cache, data, size, EM_X86_64) < 0)
		return;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *path = ldcache_find(&cache, names[i], levels);

		letters += path ? strlen(path) : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'c')
		read_cache(data + 1, size - 1);
	else
		read_object(data + 1, size - 1);
	return 0;
}
