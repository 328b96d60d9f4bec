/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * elf_private.h - an object's file, as elf.c and elf_symbols.c look at it.
 *
 * Addresses are those of the loaded object: elf_file_find() says where in the file they are, by
 * the first PT_LOAD that holds them. Small things are read through a window of one page, for they
 * lie beside each other; of the string table, a small one is read whole (one system call), and of
 * a large one the strings that are asked for.
 *
 * The file is read with pread(2), never mapped: one that becomes shorter while we look at it is an
 * error then, and not a signal. It is read once each time, so that what was checked is what is
 * used.
 *
 * A struct elf_file is of the caller's stack; it holds memory after elf_file_dynamic(), for which
 * there is elf_file_close().
 */
#ifndef FIRN_MPI_GLUE_LOADER_ELF_PRIVATE_H
#define FIRN_MPI_GLUE_LOADER_ELF_PRIVATE_H

#include "lib/err.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELF_WINDOW = 4096,
	ELF_LOADS_MAX = 64,
	ELF_STRING_MAX = 64 << 10, /* with the NUL: a path of search may be long */
};

/* The entries of the dynamic segment that point to tables, by our own numbers. */
enum elf_entry {
	ELF_STRTAB,
	ELF_STRSZ,
	ELF_SYMTAB,
	ELF_HASH,
	ELF_GNU_HASH,
	ELF_VERSYM,
	ELF_VERNEED,
	ELF_VERNEEDNUM,
	ELF_VERDEF,
	ELF_VERDEFNUM,
	ELF_SONAME,
	ELF_RPATH,
	ELF_RUNPATH,
	ELF_FLAGS_1,
	ELF_RELA,
	ELF_ENTRIES, /* how many there are */
};

/* What of a PT_LOAD is in the file: @size bytes from @offset on, that are at @address later. */
struct elf_load {
	uint64_t address, offset, size;
};

/*
 * A file that is looked at. The descriptor and the name, which is for messages, are borrowed.
 *
 * The dynamic segment is told by its address and bytes, which are 0 when there is none; the
 * interpreter by its offset in the file. Of the dynamic segment's entries, a bit of @has tells for
 * each enum elf_entry that its value in @entry was in the file.
 *
 * The string table begins at offset @strings_at, and is read into @strings if it is not larger than
 * @strings_whole (0: a usual size); else @strings is NULL, and @string has room for one string at a
 * time. @window is what was read last, from offset @window_at on.
 */
struct elf_file {
	int fd;
	const char *name;
	Elf64_Ehdr head;
	struct elf_load load[ELF_LOADS_MAX];
	size_t loads;
	uint64_t dynamic, dynamic_size;
	uint64_t interpreter, interpreter_size;
	uint64_t entry[ELF_ENTRIES];
	uint32_t has;
	uint64_t strings_at, strings_whole;
	char *strings, *string;
	uint64_t window_at;
	size_t window_size;
	char window[ELF_WINDOW];
};

/*
 * Begin with @fd: read the header and the program headers, and see that each segment has a place.
 * Returns ELF_GOOD, ELF_OTHER for an object that is not of our machines, or -1.
 */
int elf_file_open(struct elf_file *file, int fd, const char *name, struct err *err);

/* Free what @file holds, but not @file, and not its descriptor. */
void elf_file_close(struct elf_file *file);

/*
 * Read the dynamic segment into entry[] and has. @needed is called with the string offset of each
 * DT_NEEDED; it returns -1 to end it all, and NULL is fine.
 */
int elf_file_dynamic(struct elf_file *file, int (*needed)(void *arg, uint64_t offset), void *arg,
		     struct err *err);

/*
 * Copy @size bytes at file offset @offset to @data; -1 if there are fewer. @size is a page at most.
 * Costs a system call unless all of them are in the window; going forward in small steps, one for
 * each page.
 */
int elf_file_read(struct elf_file *file, uint64_t offset, void *data, size_t size, struct err *err);

/*
 * Where address @address is in the file, and how many bytes its segment has from there on: a table
 * that needs more of them does not fit. -1 if it is in no segment.
 */
int elf_file_find(const struct elf_file *file, uint64_t address, uint64_t *offset, uint64_t *left,
		  struct err *err);

/*
 * String @offset of the string table, with its NUL inside of the table. Lent until the next call.
 * NULL after filling @err.
 */
const char *elf_file_string(struct elf_file *file, uint64_t offset, struct err *err);

/* "'name' is a broken ELF object: @what". Returns -1. */
int elf_file_broken(const struct elf_file *file, const char *what, struct err *err);

static inline int elf_file_has(const struct elf_file *file, enum elf_entry entry)
{
	return file->has >> entry & 1;
}

#endif
