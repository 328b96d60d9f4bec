/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/pack.h"

#include "builder/squash/blocks.h"
#include "builder/squash/codec.h"
#include "builder/squash/data.h"
#include "builder/squash/pack_private.h"
#include "builder/squash/spool.h"

#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/compressor.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/xattr_writer.h>

/*
 * What waits for a compressor or to be written: enough that no thread waits while the
 * reader stands still for some milliseconds (a quarter of the time of a build on two
 * processors, measured with 10 blocks a thread), and no more than memory allows.
 */
enum { BACKLOG_SIZE = 10 << 20, BACKLOG_PER_JOB = 4 };

int pack_full(const char *name, int code, struct err *err)
{
	err->code = code;
	if (!name)
		return spool_fail(code, err);
	return err_code(err, code, "cannot write '%.256s'%s", name,
			err_is_full(err) ? "; name OUT in a folder with room" : "");
}

int pack_error(const struct packer *packer, int code, const char *what, struct err *err)
{
	int reason = packer->file ? blocks_file_errno(packer->file) : 0;

	if (code == SQFS_ERROR_ALLOC)
		return err_code(err, ENOMEM, "cannot write %s", what);
	if (code == SQFS_ERROR_IO && reason != 0)
		return pack_full(packer->name, reason, err);
	if (code == SQFS_ERROR_COMPRESSOR)
		return err_set(err,
			       "cannot write %s: the compressor fails, perhaps for want of memory",
			       what);
	if (code == SQFS_ERROR_OVERFLOW)
		return err_set(err, "cannot write %s: squashfs has no room for that many", what);
	return err_set(err, "cannot write %s: libsquashfs says %d", what, code);
}

static int configure(const struct codec *codec, bool unpack, sqfs_compressor_t **out)
{
	const struct codec_kind *kind = codec_kind(codec);
	sqfs_compressor_config_t config;
	int result = sqfs_compressor_config_init(&config, kind->id, codec->block_size,
						 unpack ? SQFS_COMP_FLAG_UNCOMPRESS : 0);

	if (result != 0)
		return result;
	if (codec->level >= 0)
		config.level = (sqfs_u32)codec->level;
	return sqfs_compressor_create(&config, out);
}

static int prepare(struct packer *packer, const struct codec *codec, unsigned jobs)
{
	sqfs_block_processor_desc_t desc = {
		.size = sizeof(desc), .max_block_size = codec->block_size, .num_workers = jobs,
		.max_backlog = BACKLOG_SIZE / codec->block_size + BACKLOG_PER_JOB * jobs,
	};
	int result = configure(codec, false, &packer->compressor);

	if (result == 0)
		result = configure(codec, true, &packer->decompressor);
	if (result == 0)
		result = sqfs_super_init(&packer->super, codec->block_size, 0,
					 codec_kind(codec)->id);
	if (result == 0)
		result = sqfs_super_write(&packer->super, packer->file);
	if (result != 0)
		return result;
	/* Returns the bytes written: 0 when the options are the defaults. */
	result = packer->compressor->write_options(packer->compressor, packer->file);
	if (result < 0)
		return result;
	if (result > 0)
		packer->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
	packer->ids = sqfs_id_table_create(0);
	packer->fragments = sqfs_frag_table_create(0);
	packer->xattrs = sqfs_xattr_writer_create(0);
	packer->writer = blocks_writer(packer->file);
	if (!packer->ids || !packer->fragments || !packer->xattrs || !packer->writer)
		return SQFS_ERROR_ALLOC;
	desc.cmp = packer->compressor;
	desc.wr = packer->writer;
	desc.tbl = packer->fragments;
	desc.file = packer->file;
	desc.uncmp = packer->decompressor;
	return sqfs_block_processor_create_ex(&desc, &packer->processor);
}

int packer_new(int fd, const char *name, const struct codec *codec, unsigned jobs,
	       struct packer **out, struct err *err)
{
	auto_packer *packer = calloc(1, sizeof(*packer));
	int result;

	if (!packer || !(packer->file = blocks_file(fd)) ||
	    !(packer->buffer = malloc(DATA_BUFFER_SIZE)) ||
	    !(packer->zeros = calloc(1, DATA_BUFFER_SIZE)) || !(packer->sum = hasher_new()))
		return err_sys(err, "cannot write the image");
	packer->name = name;
	packer->store = strcmp(codec->name, "none") == 0;
	result = prepare(packer, codec, jobs);
	if (result != 0)
		return pack_error(packer, result, "the image", err);
	*out = take_ptr(&packer);
	return 0;
}

void packer_free(struct packer *packer)
{
	if (!packer)
		return;
	sqfs_destroy(packer->processor);
	sqfs_destroy(packer->writer);
	sqfs_destroy(packer->xattrs);
	sqfs_destroy(packer->fragments);
	sqfs_destroy(packer->ids);
	sqfs_destroy(packer->decompressor);
	sqfs_destroy(packer->compressor);
	sqfs_destroy(packer->file);
	hasher_free(packer->sum);
	free(packer->buffer);
	free(packer->zeros);
	free(packer);
}

void packer_freep(struct packer **packer)
{
	packer_free(*packer);
}

static int take_data(void *arg, const void *data, size_t size, struct err *err)
{
	struct packer *packer = arg;
	int result;

	if (!data)
		data = packer->zeros;
	hasher_add(packer->sum, data, size);
	result = sqfs_block_processor_append(packer->processor, data, size);
	return result == 0 ? 0 : pack_error(packer, result, "the image", err);
}

int packer_file(struct packer *packer, struct tree *tree, struct inode *inode, struct err *err)
{
	sqfs_u32 flags = packer->store ? SQFS_BLK_DONT_COMPRESS : 0;
	uint8_t *sum = arena_take(&tree->arena, DIGEST_SIZE);
	int result;

	if (!sum)
		return arena_fail(&tree->arena, "cannot write the image", err);
	result = sqfs_block_processor_begin_file(packer->processor, &inode->packed, NULL, flags);
	if (result != 0)
		return pack_error(packer, result, "the image", err);
	if (data_read(inode, packer->buffer, take_data, packer, err) < 0)
		return -1;
	hasher_end_bytes(packer->sum, sum);
	inode->sum = sum;
	result = sqfs_block_processor_end_file(packer->processor);
	return result == 0 ? 0 : pack_error(packer, result, "the image", err);
}
