/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/seal.h"

#include "lib/file.h"
#include "lib/image/le.h"
#include "lib/own.h"

#include <string.h>

#define MAGIC "verity\0" /* with its NUL */

/* The superblock; numbers are little endian. */
enum {
	VERSION_AT = 8,	       /* u32: 1 */
	TYPE_AT = 12,	       /* u32: 1; 0 is of Chrome OS */
	ALGORITHM_AT = 32,     /* char[32] */
	DATA_BLOCK_AT = 64,    /* u32, bytes */
	HASH_BLOCK_AT = 68,    /* u32, bytes */
	DATA_BLOCKS_AT = 72,   /* u64 */
	SALT_SIZE_AT = 80,     /* u16, bytes; 6 bytes of zeros follow */
	SALT_AT = 88,	       /* 256 bytes, zeros behind the salt, as all that follows */
	SALT_MAX = 256,
	SUPERBLOCK_SIZE = 512,
	BLOCK_MIN = 512,
	BLOCK_MAX = 64 << 10,
	HASH_BLOCK_MAX = 4096, /* as sections are aligned: the hashes begin on the next one */
};

static const struct {
	const char *name;
	unsigned size;
} algorithms[] = {{"sha256", 32}, {"sha512", 64}, {"sha1", 20}};

bool seal_is_at(int fd, uint64_t offset)
{
	char magic[8];

	return file_read_at(fd, magic, sizeof(magic), offset) == sizeof(magic) &&
	       memcmp(magic, MAGIC, sizeof(magic)) == 0;
}

static bool is_block(uint32_t size)
{
	return size >= BLOCK_MIN && size <= BLOCK_MAX && (size & (size - 1)) == 0;
}

static unsigned digest_size(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (strncmp(algorithms[i].name, name, DATA_BLOCK_AT - ALGORITHM_AT) == 0)
			return algorithms[i].size;
	return 0;
}

static bool is_zero(const unsigned char *from, const unsigned char *to)
{
	for (; from < to; from++)
		if (*from)
			return false;
	return true;
}

/* Blocks of hashes of @blocks blocks, and of those, up to the one that has all of them. */
static uint64_t tree_blocks(uint64_t blocks, unsigned in_one)
{
	uint64_t sum = 0;

	while (blocks > 1) {
		blocks = (blocks + in_one - 1) / in_one;
		sum += blocks;
	}
	return sum;
}

int seal_size(int fd, uint64_t offset, uint64_t bytes_used, uint64_t *size, struct err *err)
{
	unsigned char head[HASH_BLOCK_MAX];
	ssize_t n = file_read_at(fd, head, sizeof(head), offset);
	uint32_t data_block, hash_block;
	uint64_t blocks;
	unsigned digest, in_one;

	if (n < 0)
		return err_sys(err, "cannot read the seal");
	if (n < SUPERBLOCK_SIZE || memcmp(head, MAGIC, VERSION_AT) != 0)
		return err_set(err, "the seal is cut off");
	data_block = le_get32(head + DATA_BLOCK_AT);
	hash_block = le_get32(head + HASH_BLOCK_AT);
	blocks = le_get64(head + DATA_BLOCKS_AT);
	digest = digest_size((const char *)head + ALGORITHM_AT);
	if (le_get32(head + VERSION_AT) != 1 || le_get32(head + TYPE_AT) > 1 || digest == 0 ||
	    !is_block(data_block) || !is_block(hash_block) || hash_block > HASH_BLOCK_MAX ||
	    le_get16(head + SALT_SIZE_AT) > SALT_MAX)
		return err_set(err, "the seal is of a kind that is not known here");
	if (blocks > offset / data_block || blocks * data_block < bytes_used)
		return err_set(err, "the seal is not of this image");
	if ((uint32_t)n < hash_block ||
	    !is_zero(head + SALT_SIZE_AT + 2, head + SALT_AT) ||
	    !is_zero(head + SALT_AT + le_get16(head + SALT_SIZE_AT), head + hash_block))
		return err_set(err, "in the seal stands what is not zeros");
	for (in_one = 1; in_one <= hash_block / digest / 2;)
		in_one *= 2;
	*size = (1 + tree_blocks(blocks, in_one)) * hash_block;
	return 0;
}
