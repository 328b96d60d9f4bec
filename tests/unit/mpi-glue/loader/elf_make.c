/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "tests/unit/mpi-glue/loader/elf_make.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS = 3, SYMBOLS_MAX = 1 + 2 * WISH_MAX };

static size_t put(struct elf_made *made, const void *data, size_t size)
{
	size_t at = made->size;

	if (size > MADE_MAX - at)
		abort();
	if (size > 0)
		memcpy(made->data + at, data, size);
	made->size += size;
	return at;
}

static void align(struct elf_made *made)
{
	made->size = (made->size + 7) & ~(size_t)7;
}

/* Strings are gathered here before the table's place is known. */
struct pool {
	char text[MADE_MAX / 2];
	size_t size;
};

static uint32_t name(struct pool *pool, const char *text)
{
	size_t at = pool->size, size = strlen(text) + 1;

	if (size > sizeof(pool->text) - at)
		abort();
	memcpy(pool->text + at, text, size);
	pool->size += size;
	return (uint32_t)at;
}

static void put_symbols(struct elf_made *made, struct pool *pool, const struct elf_wish *wish)
{
	Elf64_Sym symbol = {0};
	uint32_t hash[8] = {1, 1}; /* DT_HASH: one bucket, and the number of symbols */

	align(made);
	made->symbols = put(made, &symbol, sizeof(symbol));
	symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	for (size_t i = 0; wish->import[i]; i++, hash[1]++) {
		symbol.st_name = name(pool, wish->import[i]);
		(void)put(made, &symbol, sizeof(symbol));
	}
	for (size_t i = 0; wish->export[i]; i++, hash[1]++) {
		symbol.st_name = name(pool, wish->export[i]);
		symbol.st_shndx = 1;
		symbol.st_value = 8;
		(void)put(made, &symbol, sizeof(symbol));
	}
	made->hash = put(made, hash, sizeof(hash));
}

static uint64_t put_needs(struct elf_made *made, struct pool *pool, const struct elf_wish *wish)
{
	uint64_t count = 0;

	align(made);
	made->needs = made->size;
	for (size_t i = 0; wish->need[i].library; i++, count++) {
		Elf64_Verneed need = {.vn_version = VER_NEED_CURRENT, .vn_aux = sizeof(need)};
		size_t versions = 0;

		while (wish->need[i].version[versions])
			versions++;
		need.vn_cnt = (Elf64_Half)versions;
		need.vn_file = name(pool, wish->need[i].library);
		if (wish->need[i + 1].library)
			need.vn_next =
				(Elf64_Word)(sizeof(need) + versions * sizeof(Elf64_Vernaux));
		(void)put(made, &need, sizeof(need));
		for (size_t j = 0; j < versions; j++) {
			const char *version = wish->need[i].version[j];
			bool weak = version[0] == '?';
			Elf64_Vernaux aux = {.vna_flags = weak ? VER_FLG_WEAK : 0,
					     .vna_name = name(pool, version + weak),
					     .vna_next = j + 1 < versions ? sizeof(aux) : 0};

			(void)put(made, &aux, sizeof(aux));
		}
	}
	return count;
}

static void put_definition(struct elf_made *made, uint32_t text, bool base, bool last)
{
	Elf64_Verdef definition = {.vd_version = VER_DEF_CURRENT,
				   .vd_flags = base ? VER_FLG_BASE : 0,
				   .vd_cnt = 1,
				   .vd_aux = sizeof(definition),
				   .vd_next =
					   last ? 0 : sizeof(definition) + sizeof(Elf64_Verdaux)};
	Elf64_Verdaux aux = {.vda_name = text};

	(void)put(made, &definition, sizeof(definition));
	(void)put(made, &aux, sizeof(aux));
}

static uint64_t put_definitions(struct elf_made *made, struct pool *pool,
				const struct elf_wish *wish)
{
	uint64_t count = 0;

	align(made);
	made->definitions = made->size;
	if (!wish->defined[0])
		return 0;
	put_definition(made, name(pool, wish->soname ? wish->soname : ""), true, false);
	for (count = 0; wish->defined[count]; count++)
		put_definition(made, name(pool, wish->defined[count]), false,
			       !wish->defined[count + 1]);
	return count + 1;
}

static void entry(struct elf_made *made, int64_t tag, uint64_t value)
{
	Elf64_Dyn dyn = {.d_tag = tag, .d_un.d_val = value};

	(void)put(made, &dyn, sizeof(dyn));
	made->dynamic_count++;
}

static void put_dynamic(struct elf_made *made, struct pool *pool, const struct elf_wish *wish,
			uint64_t needs, uint64_t definitions)
{
	uint32_t text[WISH_MAX + 3];
	size_t count = 0, at;

	/* All names first: then the table of strings has its size. */
	for (; wish->needed[count]; count++)
		text[count] = name(pool, wish->needed[count]);
	text[WISH_MAX] = wish->soname ? name(pool, wish->soname) : 0;
	text[WISH_MAX + 1] = wish->rpath ? name(pool, wish->rpath) : 0;
	text[WISH_MAX + 2] = wish->runpath ? name(pool, wish->runpath) : 0;
	made->strings = put(made, pool->text, pool->size);
	made->strings_size = pool->size;
	align(made);
	made->dynamic = made->size;
	for (at = 0; at < count; at++)
		entry(made, DT_NEEDED, text[at]);
	if (wish->soname)
		entry(made, DT_SONAME, text[WISH_MAX]);
	if (wish->rpath)
		entry(made, DT_RPATH, text[WISH_MAX + 1]);
	if (wish->runpath)
		entry(made, DT_RUNPATH, text[WISH_MAX + 2]);
	if (wish->flags_1)
		entry(made, DT_FLAGS_1, wish->flags_1);
	entry(made, DT_HASH, made->hash);
	entry(made, DT_SYMTAB, made->symbols);
	entry(made, DT_STRTAB, made->strings);
	entry(made, DT_STRSZ, made->strings_size);
	if (needs) {
		entry(made, DT_VERNEED, made->needs);
		entry(made, DT_VERNEEDNUM, needs);
	}
	if (definitions) {
		entry(made, DT_VERDEF, made->definitions);
		entry(made, DT_VERDEFNUM, definitions);
	}
	entry(made, DT_NULL, 0);
}

static void put_headers(struct elf_made *made, const struct elf_wish *wish, size_t interpreter)
{
	Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = wish->machine ? wish->machine : EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_phoff = made->headers,
			   .e_ehsize = sizeof(head),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = SEGMENTS};
	Elf64_Phdr segment[SEGMENTS] = {
		{.p_type = PT_LOAD,
		 .p_flags = PF_R | PF_W,
		 .p_filesz = made->size,
		 .p_memsz = made->size},
		{.p_type = PT_DYNAMIC,
		 .p_offset = made->dynamic,
		 .p_vaddr = made->dynamic,
		 .p_filesz = made->dynamic_count * sizeof(Elf64_Dyn)},
		{.p_type = wish->interpreter ? PT_INTERP : PT_NULL,
		 .p_offset = interpreter,
		 .p_filesz = wish->interpreter ? strlen(wish->interpreter) + 1 : 0},
	};

	memcpy(made->data, &head, sizeof(head));
	memcpy(made->data + made->headers, segment, sizeof(segment));
}

void elf_make(const struct elf_wish *wish, struct elf_made *made)
{
	static struct pool pool;
	size_t interpreter;
	uint64_t needs, definitions;

	memset(made, 0, sizeof(*made));
	memset(&pool, 0, sizeof(pool));
	pool.size = 1;
	made->headers = sizeof(Elf64_Ehdr);
	made->size = made->headers + SEGMENTS * sizeof(Elf64_Phdr);
	interpreter =
		wish->interpreter ? put(made, wish->interpreter, strlen(wish->interpreter) + 1) : 0;
	put_symbols(made, &pool, wish);
	needs = put_needs(made, &pool, wish);
	definitions = put_definitions(made, &pool, wish);
	put_dynamic(made, &pool, wish, needs, definitions);
	put_headers(made, wish, interpreter);
}

int elf_make_file(const struct elf_wish *wish, const char *path)
{
	static struct elf_made made;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	bool written;

	if (fd < 0)
		return -1;
	elf_make(wish, &made);
	written = write(fd, made.data, made.size) == (ssize_t)made.size;
	return close(fd) == 0 && written ? 0 : -1;
}

uint64_t *elf_made_entry(struct elf_made *made, int64_t tag)
{
	Elf64_Dyn *dyn = (Elf64_Dyn *)(void *)(made->data + made->dynamic);

	for (size_t i = 0; i < made->dynamic_count; i++)
		if (dyn[i].d_tag == tag)
			return &dyn[i].d_un.d_val;
	return NULL;
}
