/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * elf_make.h - shared objects made byte by byte, with nothing in them but words for the loader.
 *
 * One segment holds the whole file at address 0, so that addresses are offsets. No compiler is
 * needed, an object of another machine costs nothing, and a test that wants a broken one knows
 * where to break it.
 */
#ifndef FIRN_TESTS_UNIT_MPI_GLUE_LOADER_ELF_MAKE_H
#define FIRN_TESTS_UNIT_MPI_GLUE_LOADER_ELF_MAKE_H

#include <stddef.h>
#include <stdint.h>

enum { MADE_MAX = 64 << 10, WISH_MAX = 24 };

/*
 * What is to be in an object. Lists end with NULL, and what is left 0 is not there: an object of
 * nothing but zeros is a library of x86-64 without a name, which needs nobody.
 *
 * A "?" before a version that is needed makes it a weak one. Symbols are functions; those that are
 * imported come first in the table, as linkers have it. There is a DT_HASH, of one bucket.
 */
struct elf_wish {
	uint16_t machine; /* 0: EM_X86_64 */
	const char *interpreter, *soname, *rpath, *runpath;
	const char *needed[WISH_MAX];
	struct {
		const char *library, *version[WISH_MAX];
	} need[WISH_MAX];
	const char *defined[WISH_MAX];
	const char *import[WISH_MAX], *export[WISH_MAX];
	uint64_t flags_1;
};

/*
 * A made file of @size bytes, and where things are in it, as offsets from its first byte: tables by
 * their names, with the number of dynamic entries, DT_NULL included, and the bytes of all strings.
 */
struct elf_made {
	char data[MADE_MAX];
	size_t size;
	size_t headers, dynamic, dynamic_count;
	size_t symbols, strings, strings_size, hash, needs, definitions;
};

/* Make the object in @made. It fits, or the test ends. */
void elf_make(const struct elf_wish *wish, struct elf_made *made);

/* The same, written to a new file @path. 0, or -1 with errno. */
int elf_make_file(const struct elf_wish *wish, const char *path);

/* The value of dynamic entry @tag of @made, to be read or written; NULL if there is none. */
uint64_t *elf_made_entry(struct elf_made *made, int64_t tag);

#endif
