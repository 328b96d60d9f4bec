/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/origin.h"

#include "lib/file.h"
#include "lib/own.h"

#include <endian.h>

/* All numbers little endian. */
struct header {
	char magic[8];
	uint32_t version, flags; /* 1; 0 */
	uint64_t size;           /* of the text behind, bytes */
};
_Static_assert(sizeof(struct header) == ORIGIN_HEADER_SIZE, "as doc/format.md says");

uint64_t origin_offset(uint64_t bytes_used)
{
	return (bytes_used + ORIGIN_ALIGNMENT - 1) / ORIGIN_ALIGNMENT * ORIGIN_ALIGNMENT;
}

int origin_read(int fd, uint64_t offset, char **text, size_t *out_size, struct err *err)
{
	struct header header;
	auto_free char *data = NULL;
	ssize_t n = file_read_at(fd, &header, sizeof(header), offset);
	uint64_t size;

	if (n < 0)
		return err_sys(err, "cannot read the origin");
	if ((size_t)n < sizeof(header) ||
	    memcmp(header.magic, ORIGIN_MAGIC, sizeof(header.magic)) != 0)
		return 0;
	size = le64toh(header.size);
	if (le32toh(header.version) != 1)
		return err_set(err, "the origin is of the unknown version %u",
			       le32toh(header.version));
	if (size > ORIGIN_MAX)
		return err_set(err, "the origin is longer than %d bytes", ORIGIN_MAX);
	data = malloc((size_t)size + 1);
	if (!data)
		return err_sys(err, "cannot read the origin");
	n = file_read_at(fd, data, (size_t)size, offset + sizeof(header));
	if (n < 0 || (uint64_t)n != size)
		return n < 0 ? err_sys(err, "cannot read the origin")
			     : err_set(err, "the origin is cut off");
	data[size] = 0;
	*out_size = (size_t)size;
	*text = take_ptr(&data);
	return 1;
}

int origin_write(int fd, uint64_t offset, const char *text, size_t size, struct err *err)
{
	struct header header = {.version = htole32(1), .size = htole64(size)};
	size_t padded = (size_t)origin_offset(sizeof(header) + size);
	auto_free char *block = calloc(1, padded);

	if (!block)
		return err_sys(err, "cannot write the origin");
	memcpy(header.magic, ORIGIN_MAGIC, sizeof(header.magic));
	memcpy(block, &header, sizeof(header));
	memcpy(block + sizeof(header), text, size);
	if (file_write_at(fd, block, padded, offset) < 0)
		return err_sys(err, "cannot write the origin");
	return 0;
}
