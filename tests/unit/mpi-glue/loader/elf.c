/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/elf.h"

#include "lib/own.h"
#include "tests/unit/mpi-glue/loader/elf_make.h"
#include "tests/unit/tap.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct elf_made made;
static struct err err;

static const struct elf_wish library = {
	.soname = "liba.so.1",
	.runpath = "$ORIGIN/../lib:/opt/lib",
	.needed = {"libb.so.2", "libc.so.6"},
	.need = {{"libb.so.2", {"B_1", "?B_2"}}, {"libc.so.6", {"GLIBC_2.2.5", "GLIBC_2.34"}}},
	.defined = {"A_1", "A_2"},
	.import = {"MPI_Init", "malloc", "MPI_Send"},
	.export = {"a_open", "MPI_Abort"},
};

/* A file in memory with the first @size bytes of what was made. */
static int file_of(size_t size)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	if (fd < 0 || write(fd, made.data, size) != (ssize_t)size)
		abort();
	return fd;
}

static int read_made(struct elf **elf)
{
	auto_fd fd = file_of(made.size);

	err.text[0] = '\0';
	return elf_read(fd, "x", elf, &err);
}

static void count_symbol(void *arg, const char *name, bool defined)
{
	char *text = arg;
	size_t len = strlen(text);

	(void)snprintf(text + len, 200 - len, "%s%s ", defined ? "+" : "", name);
}

static int symbols_of_made(char *text)
{
	auto_fd fd = file_of(made.size);

	text[0] = '\0';
	err.text[0] = '\0';
	return elf_symbols(fd, "x", "MPI_", count_symbol, text, &err);
}

static void a_library_says_what_it_is(void)
{
	auto_elf *elf = NULL;

	elf_make(&library, &made);
	ok(read_made(&elf) == ELF_GOOD, "it is read");
	is_str(elf->soname, "liba.so.1", "its name");
	is_str(elf->runpath, "$ORIGIN/../lib:/opt/lib", "its path of search, as written");
	ok(!elf->rpath && !elf->interpreter && !elf->program, "no program");
	ok(elf->needed_count == 2, "two libraries are needed");
	is_str(elf->needed[0], "libb.so.2", "in their order");
	is_str(elf->needed[1], "libc.so.6", "to the last");
	ok(elf->need_count == 2 && elf->need[0].count == 2, "versions of each");
	is_str(elf->need[0].version[1].name, "B_2", "by name");
	ok(elf->need[0].version[1].weak && !elf->need[0].version[0].weak, "and which is weak");
	is_str(elf->need[1].library, "libc.so.6", "of the next one");
	is_str(elf->need[1].version[1].name, "GLIBC_2.34", "too");
	ok(elf->defined_count == 2 && elf_defines(elf, "A_2"), "versions of its own");
	ok(!elf_defines(elf, "liba.so.1") && !elf_defines(elf, "A_3"), "and no others");
	ok(elf->machine == EM_X86_64 && elf->bytes > 100, "its machine and size");
}

static void a_program_names_its_interpreter(void)
{
	static const struct elf_wish program = {.machine = EM_AARCH64,
						.interpreter = "/lib/ld-linux-aarch64.so.1",
						.rpath = "/opt",
						.flags_1 = DF_1_NODEFLIB};
	auto_elf *elf = NULL;

	elf_make(&program, &made);
	ok(read_made(&elf) == ELF_GOOD, "it is read");
	is_str(elf->interpreter, "/lib/ld-linux-aarch64.so.1", "its interpreter");
	ok(elf->program && elf->machine == EM_AARCH64 && elf->no_default, "what it is");
	is_str(elf->rpath, "/opt", "its rpath");
}

static void a_runpath_hides_an_rpath(void)
{
	static const struct elf_wish both = {.rpath = "/a", .runpath = "/b"};
	auto_elf *elf = NULL;

	elf_make(&both, &made);
	ok(read_made(&elf) == ELF_GOOD && !elf->rpath, "as the loader has it");
}

static void symbols_are_told_by_prefix(void)
{
	char text[200];

	elf_make(&library, &made);
	ok(symbols_of_made(text) == 3, "three of them");
	is_str(text, "MPI_Init MPI_Send +MPI_Abort ", "wanted and had");
	*elf_made_entry(&made, DT_HASH) = 1 << 20;
	ok(symbols_of_made(text) == -1, "not from a table that is nowhere");
}

/* GNU's table without exports is empty: the next table is the string table. */
static void symbols_are_counted_without_a_hash(void)
{
	static const uint32_t empty[8] = {1, 1, 1, 0};
	char text[200];
	Elf64_Dyn *hash;

	elf_make(&library, &made);
	hash = (Elf64_Dyn *)(void *)((char *)elf_made_entry(&made, DT_HASH) -
				     offsetof(Elf64_Dyn, d_un));
	memcpy(made.data + made.hash, empty, sizeof(empty));
	hash->d_tag = DT_GNU_HASH;
	ok(symbols_of_made(text) == 3, "by the distance to the next table");
}

static void another_machine_is_no_error(void)
{
	static const struct elf_wish power = {.machine = EM_PPC64};
	struct elf *elf = NULL;
	char text[200];

	elf_make(&power, &made);
	ok(read_made(&elf) == ELF_OTHER && !elf, "one of PowerPC");
	ok(symbols_of_made(text) == 0, "has no symbols for us");
	elf_make(&library, &made);
	made.data[EI_CLASS] = ELFCLASS32;
	made.size = sizeof(Elf32_Ehdr);
	ok(read_made(&elf) == ELF_OTHER, "one of 32 bits");
	elf_make(&library, &made);
	made.data[EI_DATA] = ELFDATA2MSB;
	ok(read_made(&elf) == ELF_OTHER, "one of the other byte order");
}

static void what_is_no_object_is_refused(void)
{
	struct elf *elf = NULL;

	memset(&made, 0, sizeof(made));
	ok(read_made(&elf) == -1, "an empty file");
	is_str(err.text, "'x' is no ELF object", "is named");
	made.size = (size_t)snprintf(made.data, MADE_MAX, "GROUP ( /lib/libc.so.6 )\n");
	ok(read_made(&elf) == -1, "a linker's script");
	elf_make(&library, &made);
	((Elf64_Ehdr *)(void *)made.data)->e_type = ET_REL;
	ok(read_made(&elf) == -1, "what is to be linked yet");
	is_str(err.text, "'x' is neither a program nor a shared library", "is named, too");
}

static void a_cut_file_is_refused(void)
{
	unsigned accepted = 0;

	elf_make(&library, &made);
	for (size_t size = 0; size < made.size - sizeof(Elf64_Dyn); size++) {
		auto_elf *elf = NULL;
		auto_fd fd = file_of(size);

		accepted += elf_read(fd, "x", &elf, &err) != -1;
	}
	ok(accepted == 0, "wherever it is cut (%u)", accepted);
}

/* One way to break what was made. */
struct harm {
	const char *what;
	void (*harm)(void);
};

static Elf64_Phdr *segment(unsigned number)
{
	return (Elf64_Phdr *)(void *)(made.data + made.headers) + number;
}

static Elf64_Verneed *need_record(void)
{
	return (Elf64_Verneed *)(void *)(made.data + made.needs);
}

static Elf64_Verdef *definition(void)
{
	return (Elf64_Verdef *)(void *)(made.data + made.definitions);
}

#define HARM(name, ...)                                                                            \
	static void name(void)                                                                     \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
HARM(many_headers, ((Elf64_Ehdr *)(void *)made.data)->e_phnum = 0xffff)
HARM(odd_headers, ((Elf64_Ehdr *)(void *)made.data)->e_phentsize = 1)
HARM(far_headers, ((Elf64_Ehdr *)(void *)made.data)->e_phoff = UINT64_MAX - 8)
HARM(far_segment, segment(0)->p_offset = UINT64_MAX)
HARM(round_segment, segment(0)->p_vaddr = UINT64_MAX - 4)
HARM(small_segment, segment(0)->p_filesz = 0x40)
HARM(far_dynamic, segment(1)->p_vaddr = 1 << 30)
HARM(no_strings_size, *elf_made_entry(&made, DT_STRSZ) = 0)
HARM(long_strings, *elf_made_entry(&made, DT_STRSZ) = UINT64_MAX)
HARM(far_strings, *elf_made_entry(&made, DT_STRTAB) = UINT64_MAX - 1)
HARM(far_name, *elf_made_entry(&made, DT_SONAME) = UINT32_MAX)
HARM(endless_name, made.data[made.strings + --*elf_made_entry(&made, DT_STRSZ) - 1] = 'x')
HARM(many_needs, *elf_made_entry(&made, DT_VERNEEDNUM) = UINT64_C(1) << 32)
HARM(far_needs, *elf_made_entry(&made, DT_VERNEED) = UINT64_C(1) << 40)
HARM(far_next_need, need_record()->vn_next = UINT32_MAX)
HARM(far_aux, need_record()->vn_aux = UINT32_MAX)
HARM(odd_need, need_record()->vn_version = 7)
HARM(many_definitions, *elf_made_entry(&made, DT_VERDEFNUM) = UINT64_C(1) << 32)
HARM(far_definition_aux, definition()->vd_flags = 0; definition()->vd_aux = UINT32_MAX)
HARM(odd_definition, definition()->vd_version = 0)

static const struct harm harms[] = {
	{"65535 program headers", many_headers},
	{"program headers of one byte", odd_headers},
	{"program headers at the end of the world", far_headers},
	{"a segment beyond all files", far_segment},
	{"a segment around the last address", round_segment},
	{"a segment that lacks the tables", small_segment},
	{"a dynamic segment in no segment", far_dynamic},
	{"strings of no size", no_strings_size},
	{"strings of 2^64 bytes", long_strings},
	{"strings nowhere", far_strings},
	{"a name beyond the strings", far_name},
	{"a name without an end", endless_name},
	{"2^32 needs", many_needs},
	{"needs nowhere", far_needs},
	{"versions outside", far_aux},
	{"needs of an unknown kind", odd_need},
	{"2^32 definitions", many_definitions},
	{"definitions outside", far_definition_aux},
	{"definitions of an unknown kind", odd_definition},
};

static void broken_objects_are_refused(void)
{
	for (size_t i = 0; i < COUNT_OF(harms); i++) {
		auto_elf *elf = NULL;

		elf_make(&library, &made);
		harms[i].harm();
		ok(read_made(&elf) == -1 && strncmp(err.text, "'x' is a broken", 15) == 0, "%s: %s",
		   harms[i].what, err.text);
	}
}

/* The loader stops at the first end of a chain, and so do we: a chain cannot go back. */
static void chains_end(void)
{
	auto_elf *elf = NULL, *second = NULL, *third = NULL;

	elf_make(&library, &made);
	far_next_need();
	ok(read_made(&elf) == ELF_GOOD && elf->need_count == 1, "where the next record is outside");
	elf_make(&library, &made);
	*elf_made_entry(&made, DT_VERNEEDNUM) = 4000;
	ok(read_made(&second) == ELF_GOOD && second->need_count == 2, "before a wrong count");
	elf_make(&library, &made);
	*elf_made_entry(&made, DT_VERNEEDNUM) = 4000;
	*elf_made_entry(&made, DT_VERDEFNUM) = 4000;
	need_record()->vn_next = 1;
	ok(read_made(&third) == -1, "and overlapping records are none");
}

/* Each record says that all the versions behind it are its own. */
static void overlapping_versions_have_a_limit(void)
{
	enum { RECORDS = 1000 };
	auto_elf *elf = NULL;
	size_t at;

	elf_make(&library, &made);
	at = (made.size + 7) & ~(size_t)7;
	for (size_t i = 0; i < RECORDS; i++) {
		Elf64_Verneed record = {.vn_version = 1,
					.vn_cnt = RECORDS,
					.vn_file = 1,
					.vn_aux = (Elf64_Word)((RECORDS - i) * sizeof(record)),
					.vn_next = sizeof(record)};
		Elf64_Vernaux aux = {.vna_name = 1, .vna_next = sizeof(aux)};

		memcpy(made.data + at + i * sizeof(record), &record, sizeof(record));
		memcpy(made.data + at + RECORDS * sizeof(record) + i * sizeof(aux), &aux,
		       sizeof(aux));
	}
	made.size = at + RECORDS * (sizeof(Elf64_Verneed) + sizeof(Elf64_Vernaux));
	segment(0)->p_filesz = made.size;
	*elf_made_entry(&made, DT_VERNEED) = at;
	*elf_made_entry(&made, DT_VERNEEDNUM) = RECORDS;
	ok(read_made(&elf) == -1 && strstr(err.text, "too many versions"), "a million of them: %s",
	   err.text);
}

/* A table of strings larger than what is read whole. */
static void a_large_table_of_strings_is_read_in_pieces(void)
{
	enum { LARGE = 3 << 20, AT = LARGE - 300 };
	auto_free char *large = calloc(1, MADE_MAX + LARGE);
	auto_elf *elf = NULL;
	auto_fd fd = memfd_create("object", MFD_CLOEXEC);
	size_t size;

	elf_make(&library, &made);
	*elf_made_entry(&made, DT_STRTAB) = made.size;
	*elf_made_entry(&made, DT_STRSZ) = LARGE;
	*elf_made_entry(&made, DT_SONAME) = AT;
	segment(0)->p_filesz = made.size + LARGE;
	memcpy(large, made.data, made.size);
	memcpy(large + made.size, made.data + made.strings, made.strings_size);
	memset(large + made.size + AT, 's', 290);
	size = made.size + LARGE;
	ok(write(fd, large, size) == (ssize_t)size && elf_read(fd, "x", &elf, &err) == ELF_GOOD,
	   "it is good");
	ok(elf && strlen(elf->soname) == 290, "a name in two pieces");
	is_str(elf ? elf->needed[1] : NULL, "libc.so.6", "and one in one");
}

static void no_byte_does_harm(void)
{
	unsigned read = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		auto_elf *elf = NULL;
		char text[200];

		elf_make(&library, &made);
		for (int i = 0; i < 1 + round % 4; i++)
			made.data[(size_t)rand() % made.size] = (char)rand();
		read += read_made(&elf) == ELF_GOOD;
		(void)symbols_of_made(text);
	}
	ok(read > 0, "whatever it says");
}

int main(void)
{
	a_library_says_what_it_is();
	a_program_names_its_interpreter();
	a_runpath_hides_an_rpath();
	symbols_are_told_by_prefix();
	symbols_are_counted_without_a_hash();
	another_machine_is_no_error();
	what_is_no_object_is_refused();
	a_cut_file_is_refused();
	broken_objects_are_refused();
	chains_end();
	overlapping_versions_have_a_limit();
	a_large_table_of_strings_is_read_in_pieces();
	no_byte_does_harm();
	return done_testing();
}
