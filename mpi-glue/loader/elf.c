/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/elf.h"

#include "mpi-glue/loader/elf_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MAX = 4096,     /* of libraries needed, of versions needed, and of those defined */
	TEXT_MAX = 256 << 10, /* bytes of all strings of one object */
	TEXT_PIECE = 2048,
	RECORDS_MAX = 4096, /* in a table of versions */
};

/* Strings stand in pieces that never move. */
struct elf_text {
	struct elf_text *next;
	size_t used, size;
	char text[];
};

/* String offsets of DT_NEEDED: the table of strings may be named after them. */
struct wanted {
	uint64_t *offset;
	size_t count;
};

static int no_memory(const struct elf_file *file, struct err *err)
{
	return err_sys(err, "cannot read '%s'", file->name);
}

static const char *keep(struct elf *elf, struct elf_file *file, const char *string, struct err *err)
{
	size_t size = strlen(string) + 1;
	struct elf_text *text = elf->text;
	char *copy;

	if (elf->bytes > TEXT_MAX) {
		(void)elf_file_broken(file, "its names are too long", err);
		return NULL;
	}
	if (!text || text->size - text->used < size) {
		size_t room = size > TEXT_PIECE ? size : TEXT_PIECE;

		text = malloc(sizeof(*text) + room);
		if (!text) {
			(void)no_memory(file, err);
			return NULL;
		}
		*text = (struct elf_text){.next = elf->text, .size = room};
		elf->text = text;
		elf->bytes += room;
	}
	copy = memcpy(text->text + text->used, string, size);
	text->used += size;
	return copy;
}

static const char *keep_at(struct elf *elf, struct elf_file *file, uint64_t offset, struct err *err)
{
	const char *string = elf_file_string(file, offset, err);

	return string ? keep(elf, file, string, err) : NULL;
}

/*
 * Room for one more element of @size bytes at the end of @array, which grows at powers of two: its
 * new place, or NULL.
 */
static void *grow(void *array, size_t count, size_t size)
{
	if (count >= NAMES_MAX) {
		errno = E2BIG;
		return NULL;
	}
	if (count & (count - 1) || (count < 4 && count > 0))
		return array;
	return realloc(array, (count ? count * 2 : 4) * size);
}

static int note_wanted(void *arg, uint64_t offset)
{
	struct wanted *wanted = arg;
	uint64_t *array = grow(wanted->offset, wanted->count, sizeof(*array));

	if (!array)
		return -1;
	wanted->offset = array;
	array[wanted->count++] = offset;
	return 0;
}

static int keep_names(struct elf *elf, struct elf_file *file, const struct wanted *wanted,
		      struct err *err)
{
	elf->needed = calloc(wanted->count + 1, sizeof(*elf->needed));
	if (!elf->needed)
		return no_memory(file, err);
	for (size_t i = 0; i < wanted->count; i++) {
		elf->needed[i] = keep_at(elf, file, wanted->offset[i], err);
		if (!elf->needed[i])
			return -1;
		elf->needed_count++;
	}
	return 0;
}

/* Keep the string that entry @entry names, if there is one, in @kept. */
static int keep_entry(struct elf *elf, struct elf_file *file, enum elf_entry entry,
		      const char **kept, struct err *err)
{
	if (!elf_file_has(file, entry))
		return 0;
	*kept = keep_at(elf, file, file->entry[entry], err);
	return *kept ? 0 : -1;
}

static int keep_interpreter(struct elf *elf, struct elf_file *file, struct err *err)
{
	char path[ELF_WINDOW];
	size_t size = (size_t)file->interpreter_size;

	if (file->interpreter_size == 0)
		return 0;
	if (file->interpreter_size > sizeof(path))
		return elf_file_broken(file, "its interpreter has no end", err);
	if (elf_file_read(file, file->interpreter, path, size, err) < 0)
		return -1;
	if (!memchr(path, '\0', size))
		return elf_file_broken(file, "its interpreter has no end", err);
	elf->interpreter = keep(elf, file, path, err);
	return elf->interpreter ? 0 : -1;
}

/* A table of versions: a chain of records, each with a chain of its own. */
struct chain {
	uint64_t offset, left; /* where we are in the file, and what its segment still has */
	uint64_t records;      /* that may still come */
};

static int begin_chain(struct chain *chain, const struct elf_file *file, enum elf_entry table,
		       enum elf_entry number, struct err *err)
{
	chain->records = elf_file_has(file, number) ? file->entry[number] : 0;
	if (chain->records > RECORDS_MAX)
		return elf_file_broken(file, "it has too many versions", err);
	return elf_file_find(file, file->entry[table], &chain->offset, &chain->left, err);
}

/* Read what is @from bytes on from where @chain is. */
static int read_record(struct elf_file *file, const struct chain *chain, uint32_t from, void *data,
		       size_t size, struct err *err)
{
	if (from > chain->left || chain->left - from < size)
		return elf_file_broken(file, "its versions lie outside of it", err);
	return elf_file_read(file, chain->offset + from, data, size, err);
}

/*
 * Go @next bytes on; 0 is the end. Only forward, so that a chain ends. Returns whether there is
 * more; what lies outside is found by who reads it.
 */
static bool go_on(struct chain *chain, uint32_t next)
{
	if (next == 0 || next > chain->left || chain->records <= 1)
		return false;
	chain->offset += next;
	chain->left -= next;
	chain->records--;
	return true;
}

static int add_version(struct elf *elf, struct elf_file *file, struct elf_need *need, size_t *total,
		       const Elf64_Vernaux *aux, struct err *err)
{
	struct elf_version *array = (struct elf_version *)need->version;

	if ((*total)++ >= NAMES_MAX)
		return elf_file_broken(file, "it has too many versions", err);
	array = grow(array, need->count, sizeof(*array));
	if (!array)
		return no_memory(file, err);
	need->version = array;
	array += need->count;
	*array = (struct elf_version){keep_at(elf, file, aux->vna_name, err),
				      aux->vna_flags & VER_FLG_WEAK};
	if (!array->name)
		return -1;
	need->count++;
	return 0;
}

/* The versions of one library: @record is where @chain is. */
static int read_need(struct elf *elf, struct elf_file *file, struct chain chain,
		     const Elf64_Verneed *record, size_t *total, struct err *err)
{
	struct elf_need *array = grow(elf->need, elf->need_count, sizeof(*array)), *need;
	uint32_t from = record->vn_aux;
	Elf64_Vernaux aux;

	if (!array)
		return no_memory(file, err);
	elf->need = array;
	need = &array[elf->need_count];
	*need = (struct elf_need){.library = keep_at(elf, file, record->vn_file, err)};
	if (!need->library)
		return -1;
	elf->need_count++;
	chain.records = record->vn_cnt;
	do {
		if (read_record(file, &chain, from, &aux, sizeof(aux), err) < 0 ||
		    add_version(elf, file, need, total, &aux, err) < 0)
			return -1;
		chain.offset += from;
		chain.left -= from;
		from = 0;
	} while (go_on(&chain, aux.vna_next));
	return 0;
}

static int read_needs(struct elf *elf, struct elf_file *file, struct err *err)
{
	Elf64_Verneed record;
	struct chain chain;
	size_t total = 0;

	if (!elf_file_has(file, ELF_VERNEED))
		return 0;
	if (begin_chain(&chain, file, ELF_VERNEED, ELF_VERNEEDNUM, err) < 0)
		return -1;
	do {
		if (read_record(file, &chain, 0, &record, sizeof(record), err) < 0)
			return -1;
		if (record.vn_version != VER_NEED_CURRENT)
			return elf_file_broken(file, "its versions are of no known kind", err);
		if (record.vn_cnt > 0 && read_need(elf, file, chain, &record, &total, err) < 0)
			return -1;
	} while (go_on(&chain, record.vn_next));
	return 0;
}

static int add_defined(struct elf *elf, struct elf_file *file, const struct chain *chain,
		       const Elf64_Verdef *record, struct err *err)
{
	const char **array = grow(elf->defined, elf->defined_count, sizeof(*array));
	Elf64_Verdaux aux;

	if (!array)
		return no_memory(file, err);
	elf->defined = array;
	if (read_record(file, chain, record->vd_aux, &aux, sizeof(aux), err) < 0)
		return -1;
	array[elf->defined_count] = keep_at(elf, file, aux.vda_name, err);
	if (!array[elf->defined_count])
		return -1;
	elf->defined_count++;
	return 0;
}

static int read_defined(struct elf *elf, struct elf_file *file, struct err *err)
{
	Elf64_Verdef record;
	struct chain chain;

	if (!elf_file_has(file, ELF_VERDEF))
		return 0;
	if (begin_chain(&chain, file, ELF_VERDEF, ELF_VERDEFNUM, err) < 0)
		return -1;
	do {
		if (read_record(file, &chain, 0, &record, sizeof(record), err) < 0)
			return -1;
		if (record.vd_version != VER_DEF_CURRENT)
			return elf_file_broken(file, "its versions are of no known kind", err);
		if (!(record.vd_flags & VER_FLG_BASE) && record.vd_cnt > 0 &&
		    add_defined(elf, file, &chain, &record, err) < 0)
			return -1;
	} while (go_on(&chain, record.vd_next));
	return 0;
}

static int read_all(struct elf *elf, struct elf_file *file, struct wanted *wanted, struct err *err)
{
	if (elf_file_dynamic(file, note_wanted, wanted, err) < 0 ||
	    keep_names(elf, file, wanted, err) < 0 || keep_interpreter(elf, file, err) < 0 ||
	    keep_entry(elf, file, ELF_SONAME, &elf->soname, err) < 0 ||
	    keep_entry(elf, file, ELF_RUNPATH, &elf->runpath, err) < 0)
		return -1;
	/* The loader does not look at the one where there is the other. */
	if (!elf->runpath && keep_entry(elf, file, ELF_RPATH, &elf->rpath, err) < 0)
		return -1;
	elf->machine = file->head.e_machine;
	elf->program = elf->interpreter || file->head.e_type == ET_EXEC;
	elf->no_default = file->entry[ELF_FLAGS_1] & DF_1_NODEFLIB;
	if (read_needs(elf, file, err) < 0 || read_defined(elf, file, err) < 0)
		return -1;
	elf->bytes += elf->needed_count * sizeof(*elf->needed) +
		      elf->need_count * sizeof(*elf->need) +
		      elf->defined_count * sizeof(*elf->defined);
	for (size_t i = 0; i < elf->need_count; i++)
		elf->bytes += elf->need[i].count * sizeof(*elf->need[i].version);
	return 0;
}

int elf_read(int fd, const char *name, struct elf **out, struct err *err)
{
	auto_elf *elf = NULL;
	struct elf_file file;
	struct wanted wanted = {0};
	int result = elf_file_open(&file, fd, name, err);

	if (result != ELF_GOOD)
		return result;
	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return no_memory(&file, err);
	elf->bytes = sizeof(*elf);
	result = read_all(elf, &file, &wanted, err);
	free(wanted.offset);
	elf_file_close(&file);
	if (result < 0)
		return -1;
	*out = take_ptr(&elf);
	return ELF_GOOD;
}

void elf_free(struct elf *elf)
{
	if (!elf)
		return;
	for (struct elf_text *text = elf->text, *next; text; text = next) {
		next = text->next;
		free(text);
	}
	for (size_t i = 0; i < elf->need_count; i++)
		free((void *)elf->need[i].version);
	free(elf->need);
	free(elf->needed);
	free(elf->defined);
	free(elf);
}

void elf_freep(struct elf **elf)
{
	elf_free(*elf);
}

bool elf_defines(const struct elf *elf, const char *version)
{
	for (size_t i = 0; i < elf->defined_count; i++)
		if (strcmp(elf->defined[i], version) == 0)
			return true;
	return false;
}
