/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/squashfs/private.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

/* A dictionary larger than this is no squashfs: blocks are at most 1 MiB. */
#define XZ_MEMORY_MAX (16ull << 20)

struct decoder {
	enum squashfs_compression compression;
	ZSTD_DCtx *zstd;
	z_stream zlib;
	bool zlib_ready;
};

int codec_new(enum squashfs_compression compression, struct decoder **out, struct err *err)
{
	struct decoder *codec = calloc(1, sizeof(*codec));

	if (!codec)
		return err_sys(err, "cannot read images");
	codec->compression = compression;
	*out = codec;
	return 0;
}

void codec_free(struct decoder *codec)
{
	if (!codec)
		return;
	ZSTD_freeDCtx(codec->zstd);
	if (codec->zlib_ready)
		(void)inflateEnd(&codec->zlib);
	free(codec);
}

/* What is no fault of the image's: with errno, as the libraries set it or not. */
static ssize_t no_memory(void)
{
	errno = ENOMEM;
	return -1;
}

static ssize_t zstd(struct decoder *codec, const void *in, size_t size, void *out, size_t room)
{
	size_t made;

	/* One context for all blocks: making one costs a tenth of a small block. */
	if (!codec->zstd)
		codec->zstd = ZSTD_createDCtx();
	if (!codec->zstd)
		return no_memory();
	made = ZSTD_decompressDCtx(codec->zstd, out, room, in, size);
	return ZSTD_isError(made) ? -1 : (ssize_t)made;
}

static ssize_t gzip(struct decoder *codec, const void *in, size_t size, void *out, size_t room)
{
	z_stream *stream = &codec->zlib;
	int result;

	if (!codec->zlib_ready) {
		if (inflateInit2(stream, ZLIB_WINDOW) != Z_OK)
			return no_memory();
		codec->zlib_ready = true;
	} else if (inflateReset(stream) != Z_OK) {
		return -1;
	}
	stream->next_in = (void *)in; /* zlib does not write to it */
	stream->avail_in = (unsigned)size;
	stream->next_out = out;
	stream->avail_out = (unsigned)room;
	result = inflate(stream, Z_FINISH);
	if (result == Z_MEM_ERROR)
		return no_memory();
	return result == Z_STREAM_END ? (ssize_t)(room - stream->avail_out) : -1;
}

static ssize_t xz(const void *in, size_t size, void *out, size_t room)
{
	uint64_t memory = XZ_MEMORY_MAX;
	size_t in_at = 0, out_at = 0;
	lzma_ret result =
		lzma_stream_buffer_decode(&memory, 0, NULL, in, &in_at, size, out, &out_at, room);

	if (result == LZMA_MEM_ERROR)
		return no_memory();
	return result == LZMA_OK ? (ssize_t)out_at : -1;
}

ssize_t codec_decompress(struct decoder *codec, const void *in, size_t size, void *out, size_t room)
{
	errno = EIO;
	switch (codec->compression) {
	case SQUASHFS_ZSTD:
		return zstd(codec, in, size, out, room);
	case SQUASHFS_GZIP:
		return gzip(codec, in, size, out, room);
	case SQUASHFS_XZ:
		return xz(in, size, out, room);
	case SQUASHFS_LZ4:
		return LZ4_decompress_safe(in, out, (int)size, (int)room);
	default:
		return -1;
	}
}
