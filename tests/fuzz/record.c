/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what an image says of its making: the section behind it (its bytes, and
 * its text) and its provenance. The first byte chooses.
 */
#include "builder/record/provenance.h"
#include "lib/image/origin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_digest(const struct digest *digest)
{
	struct digest copy;

	if (digest->text[0] && digest_take(&copy, digest->text) < 0)
		abort();
}

/* A text that was taken is written in the same bytes, and its end is right. */
static void check_section(const uint8_t *data, size_t size)
{
	static int fd = -1;
	auto_free char *text = NULL, *again = NULL;
	size_t text_size, again_size;
	struct err err;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (origin_read(fd, 0, &text, &text_size, &err) <= 0)
		return;
	(void)origin_check_end(fd, size, 0, true, text_size, &err);
	if (text_size > ORIGIN_MAX || text[text_size] || ftruncate(fd, 0) < 0 ||
	    origin_write(fd, 0, text, text_size, &err) < 0 ||
	    origin_read(fd, 0, &again, &again_size, &err) != 1 || again_size != text_size ||
	    memcmp(text, again, text_size) != 0 ||
	    origin_check_end(fd, (uint64_t)lseek(fd, 0, SEEK_END), 0, true, text_size, &err) < 0)
		abort();
}

static void check_origin(const char *text, size_t size)
{
	struct origin_claims claims = {0};
	struct err err;

	if (provenance_read_origin(text, size, &claims, &err) == 0) {
		check_digest(&claims.image);
		check_digest(&claims.config);
	}
	free(claims.reference);
}

static void check_provenance(const char *text, size_t size)
{
	struct provenance provenance;
	struct err err;

	if (provenance_read(text, size, &provenance, &err) < 0)
		return;
	check_digest(&provenance.tree);
	check_digest(&provenance.config);
	check_digest(&provenance.ch);
	if (strnlen(provenance.codec_text, sizeof(provenance.codec_text)) ==
		    sizeof(provenance.codec_text) ||
	    strnlen(provenance.firn, sizeof(provenance.firn)) == sizeof(provenance.firn) ||
	    strnlen(provenance.library, sizeof(provenance.library)) == sizeof(provenance.library))
		abort();
	(void)provenance_is_ours(&provenance);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *middle;
	struct err err;
	char *text;

	if (size == 0)
		return 0;
	if (data[0] % 4 == 0) {
		check_section(data + 1, size - 1);
		return 0;
	}
	/* A copy, with its NUL and no byte more. */
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	middle = memchr(text, '|', size - 1);
	if (data[0] % 4 == 1)
		check_origin(text, size - 1);
	else if (data[0] % 4 == 2)
		check_provenance(text, size - 1);
	else if (middle)
		(void)provenance_check_layers(text, (size_t)((const char *)middle - text),
					      (const char *)middle + 1,
					      size - 2 - (size_t)((const char *)middle - text),
					      &err);
	free(text);
	return 0;
}
