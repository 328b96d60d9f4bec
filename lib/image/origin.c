/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/origin.h"

#include "lib/file.h"
#include "lib/image/le.h"
#include "lib/image/seal.h"
#include "lib/own.h"

#include <string.h>

/* What stands before the text, doc/format.md; all numbers little endian. */
enum {
	MAGIC_AT = 0,	/* char[8] */
	VERSION_AT = 8, /* u32: 1 */
	FLAGS_AT = 12,	/* u32: 0 */
	SIZE_AT = 16,	/* u64, of the text behind, bytes */
};

uint64_t origin_offset(uint64_t bytes_used)
{
	return (bytes_used + ORIGIN_ALIGNMENT - 1) / ORIGIN_ALIGNMENT * ORIGIN_ALIGNMENT;
}

static bool is_zero(const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i])
			return false;
	return true;
}

/* Zeros in all of the @size bytes at @offset, less than a page of them. */
static int check_zeros(int fd, size_t size, uint64_t offset, const char *where, struct err *err)
{
	char data[ORIGIN_ALIGNMENT];
	ssize_t n = file_read_at(fd, data, size, offset);

	if (n < 0)
		return err_sys(err, "cannot read the origin");
	if ((size_t)n < size)
		return err_set(err, "%s is cut off", where);
	return is_zero(data, size) ? 0 : err_set(err, "behind %s stands what is not zeros", where);
}

int origin_check_end(int fd, uint64_t file_size, uint64_t bytes_used, bool has_origin, size_t size,
		     struct err *err)
{
	uint64_t end = origin_offset(bytes_used), seal = 0;

	if (check_zeros(fd, (size_t)(end - bytes_used), bytes_used, "the squashfs", err) < 0)
		return -1;
	if (!has_origin && seal_is_at(fd, end) && seal_size(fd, end, bytes_used, &seal, err) < 0)
		return -1;
	if (seal > file_size - end)
		return err_set(err, "the seal is cut off");
	end += has_origin ? origin_offset(ORIGIN_HEADER_SIZE + size) : seal;
	if (file_size > end)
		return err_set(err, "%llu bytes follow that are not part of it",
			       (unsigned long long)(file_size - end));
	return 0;
}

int origin_read(int fd, uint64_t offset, char **text, size_t *out_size, struct err *err)
{
	unsigned char header[ORIGIN_HEADER_SIZE];
	auto_free char *data = NULL;
	ssize_t n = file_read_at(fd, header, sizeof(header), offset);
	uint64_t size;

	if (n < 0)
		return err_sys(err, "cannot read the origin");
	if ((size_t)n < sizeof(header) ||
	    memcmp(header + MAGIC_AT, ORIGIN_MAGIC, VERSION_AT - MAGIC_AT) != 0)
		return 0;
	size = le_get64(header + SIZE_AT);
	if (le_get32(header + VERSION_AT) != 1)
		return err_set(err, "the origin is of the unknown version %u",
			       le_get32(header + VERSION_AT));
	if (le_get32(header + FLAGS_AT) != 0)
		return err_set(err, "the origin has the unknown flags %x",
			       le_get32(header + FLAGS_AT));
	if (size > ORIGIN_MAX)
		return err_set(err, "the origin is longer than %d bytes", ORIGIN_MAX);
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read the origin");
	n = file_read_at(fd, data, (size_t)size, offset + sizeof(header));
	if (n < 0 || (uint64_t)n != size)
		return n < 0 ? err_sys(err, "cannot read the origin")
			     : err_set(err, "the origin is cut off");
	if (check_zeros(fd, (size_t)(origin_offset(sizeof(header) + size) - sizeof(header) - size),
			offset + sizeof(header) + size, "the origin", err) < 0)
		return -1;
	data[size] = 0;
	*out_size = (size_t)size;
	*text = take_ptr(&data);
	return 1;
}

int origin_write(int fd, uint64_t offset, const char *text, size_t size, struct err *err)
{
	size_t padded = (size_t)origin_offset(ORIGIN_HEADER_SIZE + size);
	auto_free char *block = calloc(1, padded);

	if (!block)
		return err_sys(err, "cannot write the origin");
	memcpy(block + MAGIC_AT, ORIGIN_MAGIC, VERSION_AT - MAGIC_AT);
	le_put32(block + VERSION_AT, 1);
	le_put64(block + SIZE_AT, size);
	memcpy(block + ORIGIN_HEADER_SIZE, text, size);
	if (file_write_at(fd, block, padded, offset) < 0)
		return err_sys(err, "cannot write the origin");
	return 0;
}
