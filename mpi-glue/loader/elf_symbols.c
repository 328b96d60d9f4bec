/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/elf.h"
#include "mpi-glue/loader/elf_private.h"

#include <string.h>

enum {
	SYMBOLS_MAX = 1 << 21, /* the largest libraries have some hundred thousand */
	BUCKETS_MAX = 1 << 20,
	SECTIONS_MAX = 1 << 12,
	SEEN_MAX = 1 << 16,
	STRINGS_WHOLE = 16 << 20, /* each symbol's name is looked at */
};

/* Of DT_GNU_HASH: buckets of symbol numbers, and for each symbol from the first on a hash. */
struct gnu_hash {
	uint32_t buckets, first, bloom, shift;
};

/* The highest symbol number in the buckets, 0 when all are empty. */
static int highest_bucket(struct elf_file *file, const struct gnu_hash *hash, uint64_t at,
			  uint32_t *highest, struct err *err)
{
	*highest = 0;
	for (uint32_t i = 0; i < hash->buckets; i++) {
		uint32_t number;

		if (elf_file_read(file, at + (uint64_t)i * sizeof(number), &number, sizeof(number),
				  err) < 0)
			return -1;
		if (number > *highest)
			*highest = number;
	}
	return 0;
}

/* Go along the last chain to its end, which its lowest bit tells. */
static int count_by_gnu_hash(struct elf_file *file, uint64_t *count, struct err *err)
{
	struct gnu_hash hash;
	uint64_t at, left, size;
	uint32_t highest, number;

	if (elf_file_find(file, file->entry[ELF_GNU_HASH], &at, &left, err) < 0 ||
	    elf_file_read(file, at, &hash, sizeof(hash), err) < 0)
		return -1;
	size = sizeof(hash) + (uint64_t)hash.bloom * sizeof(uint64_t) +
	       (uint64_t)hash.buckets * sizeof(uint32_t);
	if (hash.buckets > BUCKETS_MAX || size > left)
		return elf_file_broken(file, "its table of symbols is odd", err);
	at += size - (uint64_t)hash.buckets * sizeof(uint32_t);
	if (highest_bucket(file, &hash, at, &highest, err) < 0)
		return -1;
	*count = 0;
	if (highest == 0)
		return 0;
	if (highest < hash.first || highest > SYMBOLS_MAX)
		return elf_file_broken(file, "its table of symbols is odd", err);
	at += (uint64_t)hash.buckets * sizeof(uint32_t);
	do {
		if (highest > SYMBOLS_MAX)
			return elf_file_broken(file, "its table of symbols has no end", err);
		if (elf_file_read(file, at + (uint64_t)(highest - hash.first) * sizeof(number),
				  &number, sizeof(number), err) < 0)
			return -1;
		highest++;
	} while (!(number & 1));
	*count = highest;
	return 0;
}

static int count_by_hash(struct elf_file *file, uint64_t *count, struct err *err)
{
	uint32_t number[2]; /* of buckets, of symbols */
	uint64_t at, left;

	if (elf_file_find(file, file->entry[ELF_HASH], &at, &left, err) < 0 ||
	    elf_file_read(file, at, number, sizeof(number), err) < 0)
		return -1;
	*count = number[1];
	return 0;
}

/*
 * A section that is where the table is says its size. Sections that cannot be read are no error:
 * they need not be there.
 */
static uint64_t count_by_section(struct elf_file *file)
{
	const Elf64_Ehdr *head = &file->head;
	Elf64_Shdr section;
	struct err err;

	if (head->e_shentsize != sizeof(section) || head->e_shnum > SECTIONS_MAX ||
	    head->e_shoff == 0 || head->e_shoff > INT64_MAX - SECTIONS_MAX * sizeof(section))
		return 0;
	for (unsigned i = 0; i < head->e_shnum; i++) {
		if (elf_file_read(file, head->e_shoff + i * sizeof(section), &section,
				  sizeof(section), &err) < 0)
			return 0;
		if (section.sh_type == SHT_DYNSYM && section.sh_addr == file->entry[ELF_SYMTAB])
			return section.sh_size / sizeof(Elf64_Sym);
	}
	return 0;
}

/* Linkers lay the tables beside each other: there are no more symbols than fit before the next. */
static uint64_t count_by_distance(const struct elf_file *file)
{
	static const enum elf_entry tables[] = {ELF_STRTAB,  ELF_HASH,	 ELF_GNU_HASH, ELF_VERSYM,
						ELF_VERNEED, ELF_VERDEF, ELF_RELA};
	uint64_t begin = file->entry[ELF_SYMTAB], end = UINT64_MAX;

	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		uint64_t at = file->entry[tables[i]];

		if (elf_file_has(file, tables[i]) && at > begin && at < end)
			end = at;
	}
	return end == UINT64_MAX ? 0 : (end - begin) / sizeof(Elf64_Sym);
}

static int count_symbols(struct elf_file *file, uint64_t *count, struct err *err)
{
	*count = 0;
	if (elf_file_has(file, ELF_HASH))
		return count_by_hash(file, count, err);
	if (elf_file_has(file, ELF_GNU_HASH) && count_by_gnu_hash(file, count, err) < 0)
		return -1;
	/* Of a table without exports, GNU's linker does not tell how many imports there are. */
	if (*count == 0)
		*count = count_by_section(file);
	if (*count == 0)
		*count = count_by_distance(file);
	return 0;
}

struct symbol_watch {
	const char *prefix;
	size_t len;
	void (*seen)(void *arg, const char *name, bool defined);
	void *arg;
};

/* 1 if it was one to be seen. */
static int look_at(struct elf_file *file, const Elf64_Sym *symbol, const struct symbol_watch *watch,
		   struct err *err)
{
	const char *name;

	if (symbol->st_name == 0 || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
		return 0;
	/* Most symbols are others': compare before looking for their end. */
	if (file->strings && symbol->st_name < file->entry[ELF_STRSZ] &&
	    strncmp(file->strings + symbol->st_name, watch->prefix, watch->len) != 0)
		return 0;
	name = elf_file_string(file, symbol->st_name, err);
	if (!name)
		return -1;
	if (strncmp(name, watch->prefix, watch->len) != 0)
		return 0;
	watch->seen(watch->arg, name, symbol->st_shndx != SHN_UNDEF);
	return 1;
}

static int each_symbol(struct elf_file *file, const struct symbol_watch *watch, struct err *err)
{
	uint64_t at, left, count;
	int seen = 0;

	if (!elf_file_has(file, ELF_SYMTAB) || !elf_file_has(file, ELF_STRTAB))
		return 0;
	if (count_symbols(file, &count, err) < 0 ||
	    elf_file_find(file, file->entry[ELF_SYMTAB], &at, &left, err) < 0)
		return -1;
	if (count > SYMBOLS_MAX || count > left / sizeof(Elf64_Sym))
		return elf_file_broken(file, "its table of symbols has no end", err);
	for (uint64_t i = 1; i < count; i++) {
		Elf64_Sym symbol;
		int result;

		if (elf_file_read(file, at + i * sizeof(symbol), &symbol, sizeof(symbol), err) < 0)
			return -1;
		result = look_at(file, &symbol, watch, err);
		if (result < 0)
			return -1;
		seen += result;
		if (seen > SEEN_MAX)
			return elf_file_broken(file, "it has too many symbols of one kind", err);
	}
	return seen;
}

int elf_symbols(int fd, const char *label, const char *prefix,
		void (*seen)(void *arg, const char *name, bool defined), void *arg, struct err *err)
{
	struct symbol_watch watch = {prefix, strlen(prefix), seen, arg};
	struct elf_file file;
	int result = elf_file_open(&file, fd, label, err);

	if (result != ELF_GOOD)
		return result == ELF_OTHER ? 0 : -1;
	file.strings_whole = STRINGS_WHOLE;
	result = elf_file_dynamic(&file, NULL, NULL, err);
	if (result == 0)
		result = each_symbol(&file, &watch, err);
	elf_file_close(&file);
	return result;
}
