/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/tar_private.h"

int tar_add_segment(struct tar *tar, uint64_t offset, uint64_t size, struct err *err)
{
	if (tar->segment_count == TAR_SEGMENTS_MAX)
		return err_set(err, "a sparse file of more than %d pieces", TAR_SEGMENTS_MAX);
	if (tar->segment_count == tar->segment_room) {
		size_t room = tar->segment_room ? 2 * tar->segment_room : 16;
		struct tar_segment *grown = reallocarray(tar->segment, room, sizeof(*grown));

		if (!grown)
			return err_sys(err, "cannot read the map of a sparse file");
		tar->segment = grown;
		tar->segment_room = room;
	}
	tar->segment[tar->segment_count++] = (struct tar_segment){offset, size};
	return 0;
}

int tar_take_map_text(struct tar *tar, const char *text, struct err *err)
{
	tar->segment_count = 0;
	while (*text) {
		uint64_t offset, size;

		if (tar_decimal(text, &text, &offset) < 0 || *text++ != ',' ||
		    tar_decimal(text, &text, &size) < 0 || (*text && *text++ != ','))
			return err_set(err, "the map of a sparse file is no list of numbers");
		if (tar_add_segment(tar, offset, size, err) < 0)
			return -1;
	}
	return 0;
}

/* One offset and size of the old format. Unused places at the end are empty: 0. */
static int take_old(struct tar *tar, const char *offset, const char *size, struct err *err)
{
	int64_t at, bytes;

	if (!offset[0] || !size[0])
		return 0;
	if (tar_number(offset, 12, &at) < 0 || tar_number(size, 12, &bytes) < 0 || at < 0 ||
	    bytes < 0)
		return err_set(err, "the map of a sparse file is damaged");
	return tar_add_segment(tar, (uint64_t)at, (uint64_t)bytes, err) < 0 ? -1 : 1;
}

int tar_read_old_map(struct tar *tar, const struct tar_header *header, struct err *err)
{
	struct {
		struct {
			char offset[12], size[12];
		} sparse[TAR_OLD_SPARSE_MAX];
		char extended, pad[7];
	} more;
	bool extended = header->u.gnu.extended;
	int result = 1;

	_Static_assert(sizeof(more) == TAR_BLOCK_SIZE, "an extension of the map is one block");
	tar->segment_count = 0;
	for (size_t i = 0; i < COUNT_OF(header->u.gnu.sparse) && result > 0; i++)
		result = take_old(tar, header->u.gnu.sparse[i].offset, header->u.gnu.sparse[i].size,
				  err);
	while (result >= 0 && extended) {
		result = tar_read_block(tar, &more, err);
		if (result <= 0)
			return result < 0 ? -1 : err_set(err, "the archive ends too soon");
		for (size_t i = 0; i < TAR_OLD_SPARSE_MAX && result > 0; i++)
			result = take_old(tar, more.sparse[i].offset, more.sparse[i].size, err);
		extended = more.extended;
	}
	return result < 0 ? -1 : 0;
}

/* The next decimal line of the blocks that stand before the data (format 1.0). */
static int take_line(struct tar *tar, char block[TAR_BLOCK_SIZE], size_t *at, uint64_t *out,
		     struct err *err)
{
	uint64_t value = 0;

	for (int digits = 0;; digits++) {
		if (*at == TAR_BLOCK_SIZE) {
			if (tar->left < TAR_BLOCK_SIZE || tar_read_block(tar, block, err) <= 0)
				return err_set(err, "the map of a sparse file ends too soon");
			tar->left -= TAR_BLOCK_SIZE;
			*at = 0;
		}
		char c = block[(*at)++];

		if (c == '\n' && digits > 0)
			break;
		if (c < '0' || c > '9' || digits == 18)
			return err_set(err, "the map of a sparse file is no list of numbers");
		value = 10 * value + (uint64_t)(c - '0');
	}
	*out = value;
	return 0;
}

int tar_read_map_blocks(struct tar *tar, struct err *err)
{
	char block[TAR_BLOCK_SIZE];
	size_t at = TAR_BLOCK_SIZE;
	uint64_t count = 0, offset, size;

	tar->segment_count = 0;
	if (take_line(tar, block, &at, &count, err) < 0)
		return -1;
	for (; count > 0; count--)
		if (take_line(tar, block, &at, &offset, err) < 0 ||
		    take_line(tar, block, &at, &size, err) < 0 ||
		    tar_add_segment(tar, offset, size, err) < 0)
			return -1;
	return 0;
}

int tar_check_map(struct tar *tar, uint64_t real_size, uint64_t stored, struct err *err)
{
	uint64_t end = 0, sum = 0;

	for (size_t i = 0; i < tar->segment_count; i++) {
		const struct tar_segment *segment = &tar->segment[i];

		if (segment->offset < end || segment->offset > real_size ||
		    segment->size > real_size - segment->offset)
			return err_set(err, "the map of a sparse file has pieces in disorder or "
					    "beyond its end");
		end = segment->offset + segment->size;
		sum += segment->size;
	}
	if (sum != stored)
		return err_set(err, "the map of a sparse file does not fit its data");
	return 0;
}
