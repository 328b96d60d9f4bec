/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The Singularity Image Format: a header, a table of descriptors, and objects,
 * one of which, the "primary system partition", is the root file system. Layout:
 * github.com/apptainer/sif, pkg/sif (sif.go, descriptor.go); little endian,
 * packed.
 */
#include "lib/image/image.h"

#include "lib/file.h"
#include "lib/image/le.h"

#include <string.h>

enum {
	SIF_HEADER_SIZE = 128,
	SIF_DESCRIPTORS = 88,	/* i64 total number of descriptors ... */
	SIF_TABLE_OFFSET = 96,	/* ... and where they are */
	SIF_DESCRIPTOR_SIZE = 585,
	SIF_DESCRIPTORS_MAX = 4096,

	DESCRIPTOR_USED = 4,
	DESCRIPTOR_OFFSET = 17,
	DESCRIPTOR_SIZE = 25,
	DESCRIPTOR_EXTRA = 201, /* of a partition: i32 file system, i32 kind, char[3] machine */

	TYPE_PARTITION = 0x4004,
	FS_SQUASHFS = 1,
	PART_PRIMARY = 2,
};

static int read_at(int fd, void *buffer, size_t size, uint64_t offset, const char *name,
		   struct err *err)
{
	ssize_t got = file_read_at(fd, buffer, size, offset);

	if (got < 0)
		return err_sys(err, "cannot read '%s'", name);
	if ((size_t)got != size)
		return err_set(err, "'%s' is truncated: its SIF table ends early", name);
	return 0;
}

static const struct {
	char code[3];
	const char *name;
} machines[] = {
	{"01", "386"},	   {"02", "amd64"}, {"03", "arm"},   {"04", "arm64"},	{"05", "ppc64"},
	{"06", "ppc64le"}, {"07", "mips"},  {"11", "s390x"}, {"12", "riscv64"},
};

static const char *machine_of(const unsigned char *code)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (memcmp(machines[i].code, code, 2) == 0)
			return machines[i].name;
	return NULL;
}

const char *sif_machine(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (strcmp(machines[i].name, name) == 0)
			return machines[i].name;
	return NULL;
}

static const char *file_system_name(uint32_t type)
{
	static const char *const names[] = {
		"unknown", "squashfs", "ext3", "an archive", "raw", "encrypted squashfs",
	};

	return type < COUNT_OF(names) ? names[type] : names[0];
}

static int check_partition(const unsigned char *descriptor, uint64_t file_size, const char *name,
			   struct err *err)
{
	uint64_t offset = le_get64(descriptor + DESCRIPTOR_OFFSET);
	uint64_t size = le_get64(descriptor + DESCRIPTOR_SIZE);
	uint32_t type = le_get32(descriptor + DESCRIPTOR_EXTRA);

	if (type != FS_SQUASHFS)
		return err_set(err,
			       "the root of '%s' is %s, not squashfs; rebuild the SIF unencrypted "
			       "and with squashfs",
			       name, file_system_name(type));
	if (offset > file_size || size > file_size - offset || size == 0)
		return err_set(err, "'%s' is damaged or truncated: its root lies outside the file",
			       name);
	return 0;
}

int sif_find_partition(int fd, uint64_t file_size, const char *name, uint64_t *offset,
		       uint64_t *size, const char **machine, struct err *err)
{
	unsigned char header[SIF_HEADER_SIZE];
	unsigned char descriptor[SIF_DESCRIPTOR_SIZE];
	uint64_t table, count;

	if (read_at(fd, header, sizeof(header), 0, name, err) < 0)
		return -1;
	count = le_get64(header + SIF_DESCRIPTORS);
	table = le_get64(header + SIF_TABLE_OFFSET);
	if (count > SIF_DESCRIPTORS_MAX || table > file_size ||
	    count * SIF_DESCRIPTOR_SIZE > file_size - table)
		return err_set(err, "'%s' is damaged: its SIF table lies outside the file", name);
	for (uint64_t i = 0; i < count; i++) {
		if (read_at(fd, descriptor, sizeof(descriptor), table + i * sizeof(descriptor),
			    name, err) < 0)
			return -1;
		if (le_get32(descriptor) != TYPE_PARTITION || !descriptor[DESCRIPTOR_USED] ||
		    le_get32(descriptor + DESCRIPTOR_EXTRA + 4) != PART_PRIMARY)
			continue;
		if (check_partition(descriptor, file_size, name, err) < 0)
			return -1;
		*offset = le_get64(descriptor + DESCRIPTOR_OFFSET);
		*size = le_get64(descriptor + DESCRIPTOR_SIZE);
		*machine = machine_of(descriptor + DESCRIPTOR_EXTRA + 8);
		return 0;
	}
	return err_set(err, "'%s' is a SIF file without a primary system partition", name);
}
