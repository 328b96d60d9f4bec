/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/elf_private.h"

#include "lib/file.h"
#include "mpi-glue/loader/elf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADERS_MAX = 256,     /* program headers; real objects have a dozen */
	DYNAMIC_MAX = 1 << 14, /* entries */
	STRINGS_WHOLE = 1 << 20,
	STRING_PIECE = 256,
};

int elf_file_broken(const struct elf_file *file, const char *what, struct err *err)
{
	return err_set(err, "'%s' is a broken ELF object: %s", file->name, what);
}

/* Have the window begin at @offset. */
static int move_window(struct elf_file *file, uint64_t offset, struct err *err)
{
	ssize_t got;

	file->window_size = 0;
	if (offset > INT64_MAX - ELF_WINDOW)
		return elf_file_broken(file, "it points outside of itself", err);
	got = file_read_at(file->fd, file->window, ELF_WINDOW, offset);
	if (got < 0)
		return err_sys(err, "cannot read '%s'", file->name);
	file->window_at = offset;
	file->window_size = (size_t)got;
	return 0;
}

int elf_file_read(struct elf_file *file, uint64_t offset, void *data, size_t size, struct err *err)
{
	uint64_t from = offset - file->window_at;

	if (offset < file->window_at || from > file->window_size ||
	    file->window_size - from < size) {
		if (move_window(file, offset, err) < 0)
			return -1;
		from = 0;
	}
	if (file->window_size < size)
		return elf_file_broken(file, "it is cut short", err);
	memcpy(data, file->window + from, size);
	return 0;
}

static bool is_64_little(const char *ident)
{
	return ident[EI_CLASS] == ELFCLASS64 && ident[EI_DATA] == ELFDATA2LSB;
}

static int note_load(struct elf_file *file, const Elf64_Phdr *header, struct err *err)
{
	struct elf_load *load = &file->load[file->loads];

	if (header->p_filesz == 0)
		return 0;
	if (file->loads == ELF_LOADS_MAX)
		return elf_file_broken(file, "it has too many segments", err);
	if (header->p_vaddr > UINT64_MAX - header->p_filesz ||
	    header->p_offset > INT64_MAX - header->p_filesz || header->p_filesz > INT64_MAX)
		return elf_file_broken(file, "a segment has no place", err);
	*load = (struct elf_load){header->p_vaddr, header->p_offset, header->p_filesz};
	file->loads++;
	return 0;
}

static int read_headers(struct elf_file *file, struct err *err)
{
	const Elf64_Ehdr *head = &file->head;
	Elf64_Phdr header;

	if (head->e_phnum > HEADERS_MAX || (head->e_phnum && head->e_phentsize != sizeof(header)))
		return elf_file_broken(file, "its program headers are odd", err);
	if (head->e_phoff > INT64_MAX - HEADERS_MAX * sizeof(header))
		return elf_file_broken(file, "it points outside of itself", err);
	for (unsigned i = 0; i < head->e_phnum; i++) {
		if (elf_file_read(file, head->e_phoff + i * sizeof(header), &header, sizeof(header),
				  err) < 0)
			return -1;
		if (header.p_type == PT_LOAD && note_load(file, &header, err) < 0)
			return -1;
		if (header.p_type == PT_DYNAMIC) {
			file->dynamic = header.p_vaddr;
			file->dynamic_size = header.p_filesz;
		}
		if (header.p_type == PT_INTERP) {
			file->interpreter = header.p_offset;
			file->interpreter_size = header.p_filesz;
		}
	}
	return 0;
}

int elf_file_open(struct elf_file *file, int fd, const char *name, struct err *err)
{
	Elf64_Ehdr *head = &file->head;

	/* All but the buffers. */
	memset(file, 0, offsetof(struct elf_file, window));
	file->fd = fd;
	file->name = name;
	if (move_window(file, 0, err) < 0)
		return -1;
	if (file->window_size < EI_NIDENT || memcmp(file->window, ELFMAG, SELFMAG) != 0)
		return err_set(err, "'%s' is no ELF object", name);
	if (!is_64_little(file->window))
		return ELF_OTHER;
	if (file->window_size < sizeof(*head))
		return elf_file_broken(file, "it is cut short", err);
	memcpy(head, file->window, sizeof(*head));
	if (head->e_machine != EM_X86_64 && head->e_machine != EM_AARCH64)
		return ELF_OTHER;
	if (head->e_type != ET_DYN && head->e_type != ET_EXEC)
		return err_set(err, "'%s' is neither a program nor a shared library", name);
	return read_headers(file, err) < 0 ? -1 : ELF_GOOD;
}

void elf_file_close(struct elf_file *file)
{
	free(file->strings);
	free(file->string);
	file->strings = NULL;
	file->string = NULL;
}

int elf_file_find(const struct elf_file *file, uint64_t address, uint64_t *offset, uint64_t *left,
		  struct err *err)
{
	for (size_t i = 0; i < file->loads; i++) {
		const struct elf_load *load = &file->load[i];

		if (address < load->address || address - load->address >= load->size)
			continue;
		*offset = load->offset + (address - load->address);
		*left = load->size - (address - load->address);
		return 0;
	}
	return elf_file_broken(file, "a table is in no segment", err);
}

/* Note an entry that points to a table, or is a number. The last one counts, as for the loader. */
static void note_entry(struct elf_file *file, const Elf64_Dyn *entry)
{
	static const struct {
		int64_t tag;
		enum elf_entry entry;
	} known[] = {
		{DT_STRTAB, ELF_STRTAB},     {DT_STRSZ, ELF_STRSZ},
		{DT_SYMTAB, ELF_SYMTAB},     {DT_HASH, ELF_HASH},
		{DT_GNU_HASH, ELF_GNU_HASH}, {DT_VERSYM, ELF_VERSYM},
		{DT_VERNEED, ELF_VERNEED},   {DT_VERNEEDNUM, ELF_VERNEEDNUM},
		{DT_VERDEF, ELF_VERDEF},     {DT_VERDEFNUM, ELF_VERDEFNUM},
		{DT_SONAME, ELF_SONAME},     {DT_RPATH, ELF_RPATH},
		{DT_RUNPATH, ELF_RUNPATH},   {DT_FLAGS_1, ELF_FLAGS_1},
		{DT_RELA, ELF_RELA},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].tag == entry->d_tag) {
			file->entry[known[i].entry] = entry->d_un.d_val;
			file->has |= UINT32_C(1) << known[i].entry;
		}
	}
}

/* Read the string table, if it is small; that it lies in one segment is seen in any case. */
static int open_strings(struct elf_file *file, struct err *err)
{
	uint64_t size = file->entry[ELF_STRSZ], offset, left;
	ssize_t got;

	if (!elf_file_has(file, ELF_STRTAB))
		return 0;
	if (elf_file_find(file, file->entry[ELF_STRTAB], &offset, &left, err) < 0)
		return -1;
	if (size == 0 || size > left)
		return elf_file_broken(file, "its strings have no end", err);
	file->strings_at = offset;
	if (size > (file->strings_whole ? file->strings_whole : STRINGS_WHOLE))
		return 0;
	file->strings = malloc(size + 1);
	if (!file->strings)
		return err_sys(err, "cannot read '%s'", file->name);
	got = file_read_at(file->fd, file->strings, size, offset);
	if (got < 0)
		return err_sys(err, "cannot read '%s'", file->name);
	if ((uint64_t)got < size)
		return elf_file_broken(file, "it is cut short", err);
	/* What ends beyond the table is seen by its NUL being this one. */
	file->strings[size] = '\0';
	return 0;
}

int elf_file_dynamic(struct elf_file *file, int (*needed)(void *arg, uint64_t offset), void *arg,
		     struct err *err)
{
	uint64_t offset, left, count;
	Elf64_Dyn entry;

	if (file->dynamic_size == 0)
		return 0;
	if (elf_file_find(file, file->dynamic, &offset, &left, err) < 0)
		return -1;
	count = (left < file->dynamic_size ? left : file->dynamic_size) / sizeof(entry);
	if (count > DYNAMIC_MAX)
		return elf_file_broken(file, "its dynamic segment is too long", err);
	for (uint64_t i = 0; i < count; i++) {
		if (elf_file_read(file, offset + i * sizeof(entry), &entry, sizeof(entry), err) < 0)
			return -1;
		if (entry.d_tag == DT_NULL)
			break;
		note_entry(file, &entry);
		if (entry.d_tag == DT_NEEDED && needed && needed(arg, entry.d_un.d_val) < 0)
			return elf_file_broken(file, "it needs too many libraries", err);
	}
	return open_strings(file, err);
}

/* A string of a table that is not in memory: piece by piece, until its end. */
static const char *fetch_string(struct elf_file *file, uint64_t offset, struct err *err)
{
	uint64_t left = file->entry[ELF_STRSZ] - offset;
	size_t have = 0;

	if (!file->string)
		file->string = malloc(ELF_STRING_MAX);
	if (!file->string) {
		(void)err_sys(err, "cannot read '%s'", file->name);
		return NULL;
	}
	while (have < ELF_STRING_MAX && have < left) {
		size_t want = STRING_PIECE;
		ssize_t got;

		if (want > left - have)
			want = (size_t)(left - have);
		got = file_read_at(file->fd, file->string + have, want,
				   file->strings_at + offset + have);
		if (got <= 0)
			break;
		if (memchr(file->string + have, '\0', (size_t)got))
			return file->string;
		have += (size_t)got;
	}
	(void)elf_file_broken(file, "a name has no end", err);
	return NULL;
}

const char *elf_file_string(struct elf_file *file, uint64_t offset, struct err *err)
{
	if (!elf_file_has(file, ELF_STRTAB) || offset >= file->entry[ELF_STRSZ]) {
		(void)elf_file_broken(file, "a name is not among its strings", err);
		return NULL;
	}
	if (!file->strings)
		return fetch_string(file, offset, err);
	if (!memchr(file->strings + offset, '\0',
		    file->entry[ELF_STRSZ] - offset < ELF_STRING_MAX
			    ? file->entry[ELF_STRSZ] - offset
			    : ELF_STRING_MAX)) {
		(void)elf_file_broken(file, "a name has no end", err);
		return NULL;
	}
	return file->strings + offset;
}
