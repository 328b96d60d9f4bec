/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * elf.h - what a program or library says to the dynamic loader.
 *
 * Read from the file itself, by elf(5) and the gABI's chapter "Dynamic Linking" with GNU's symbol
 * versions: nothing is mapped, relocated or executed, so the file may be anybody's. As the loader
 * does, only program headers and the dynamic segment are believed; sections, which strip(1) may
 * have taken away, are asked in one case (elf_symbols()). Each offset, size and count is checked
 * before use, and each has a limit that no real object comes near.
 *
 * Objects of 64 bits, little-endian, for x86-64 and aarch64 are understood. Any other is answered
 * as one of another machine: a loader that meets it goes on searching, and so does our caller.
 */
#ifndef FIRN_MPI_GLUE_LOADER_ELF_H
#define FIRN_MPI_GLUE_LOADER_ELF_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What elf_read() may answer, beside -1. */
enum {
	ELF_GOOD = 0,
	ELF_OTHER = 1, /* an object of another machine, class or byte order */
};

/* A version that must be there when the object is loaded; a weak one may be missing. */
struct elf_version {
	const char *name; /* "GLIBC_2.34" */
	bool weak;
};

/* What is needed of one library: a record of DT_VERNEED. */
struct elf_need {
	const char *library; /* "libc.so.6" */
	const struct elf_version *version;
	size_t count;
};

/*
 * All strings are the object's own: they live as long as it does. A string that is not in the file
 * is NULL; an array of count 0 may be NULL.
 */
struct elf {
	uint16_t machine;	 /* EM_X86_64 or EM_AARCH64 */
	bool program;		 /* it names an interpreter, or is linked to a fixed address */
	bool no_default;	 /* DF_1_NODEFLIB: not to be searched for in the system's places */
	const char *interpreter; /* "/lib64/ld-linux-x86-64.so.2" */
	const char *soname;
	const char *rpath; /* as written, with $ORIGIN; NULL where there is a runpath */
	const char *runpath;
	const char **needed; /* DT_NEEDED, in the file's order */
	size_t needed_count;
	struct elf_need *need;
	size_t need_count;
	const char **defined; /* the names in DT_VERDEF, without the file's own */
	size_t defined_count;
	size_t bytes;	       /* of memory this object takes, so that many can have a limit */
	struct elf_text *text; /* where the strings are; of no interest outside */
};

/*
 * Read the object in the open file @fd, which is borrowed, and whose position does not matter;
 * @name is for messages. Returns ELF_GOOD with a new object in @out, or ELF_OTHER, or -1 with the
 * cause: no ELF file at all, one that is cut short or contradicts itself, or no memory.
 * An object without a dynamic segment is good, and has nothing to say.
 */
int elf_read(int fd, const char *name, struct elf **out, struct err *err);

/* Free @elf with its strings; NULL is fine. */
void elf_free(struct elf *elf);
void elf_freep(struct elf **elf);
#define auto_elf CLEANUP(elf_freep) struct elf

/* Whether @elf defines version @version. */
bool elf_defines(const struct elf *elf, const char *version);

/*
 * Call @seen for each dynamic symbol of the object in @fd whose name begins with @prefix: @defined
 * says whether the object has it (an export) or wants it from others (an import). @name is lent
 * for the call. Symbols of local binding are left out. Returns how many were seen, or -1; @label
 * is for messages. An object of another machine has none.
 *
 * The number of symbols is nowhere written. It comes from DT_HASH, or from DT_GNU_HASH, or, where
 * that one is empty, from the section of the table, or from the distance to the next table.
 */
int elf_symbols(int fd, const char *label, const char *prefix,
		void (*seen)(void *arg, const char *name, bool defined), void *arg,
		struct err *err);

#endif
