/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define PREFIX "sha256:"

enum { PREFIX_LEN = sizeof(PREFIX) - 1, READ_SIZE = 1 << 20 };

struct hasher {
	EVP_MD_CTX *context;
};

int digest_take(struct digest *digest, const char *text)
{
	if (!text || strncmp(text, PREFIX, PREFIX_LEN) != 0)
		return -1;
	for (size_t i = PREFIX_LEN; i < DIGEST_TEXT_SIZE - 1; i++)
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return -1;
	if (text[DIGEST_TEXT_SIZE - 1])
		return -1;
	memcpy(digest->text, text, DIGEST_TEXT_SIZE);
	return 0;
}

bool digest_is(const struct digest *a, const struct digest *b)
{
	return a->text[0] && strcmp(a->text, b->text) == 0;
}

const char *digest_hex(const struct digest *digest)
{
	return digest->text[0] ? digest->text + PREFIX_LEN : digest->text;
}

struct hasher *hasher_new(void)
{
	struct hasher *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->context = EVP_MD_CTX_new();
	if (!sum->context || EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) != 1) {
		hasher_free(sum);
		errno = ENOMEM;
		return NULL;
	}
	return sum;
}

void hasher_free(struct hasher *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->context);
	free(sum);
}

void hasher_freep(struct hasher **sum)
{
	hasher_free(*sum);
}

void hasher_add(struct hasher *sum, const void *data, size_t size)
{
	(void)EVP_DigestUpdate(sum->context, data, size);
}

void hasher_end_bytes(struct hasher *sum, uint8_t out[DIGEST_SIZE])
{
	(void)EVP_DigestFinal_ex(sum->context, out, NULL);
	(void)EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL);
}

void hasher_end(struct hasher *sum, struct digest *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[DIGEST_SIZE];

	hasher_end_bytes(sum, bytes);
	memcpy(out->text, PREFIX, PREFIX_LEN);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out->text[PREFIX_LEN + 2 * i] = digits[bytes[i] >> 4];
		out->text[PREFIX_LEN + 2 * i + 1] = digits[bytes[i] & 15];
	}
	out->text[DIGEST_TEXT_SIZE - 1] = 0;
}

int digest_of(const void *data, size_t size, struct digest *out, struct err *err)
{
	auto_hasher *sum = hasher_new();

	if (!sum)
		return err_sys(err, "cannot compute a digest");
	hasher_add(sum, data, size);
	hasher_end(sum, out);
	return 0;
}

int digest_of_file(int fd, uint64_t size, const char *name, struct digest *out, struct err *err)
{
	auto_hasher *sum = hasher_new();
	auto_free char *buffer = malloc(READ_SIZE);

	if (!sum || !buffer)
		return err_sys(err, "cannot compute a digest");
	for (uint64_t at = 0; at < size;) {
		uint64_t left = size - at;
		ssize_t n =
			pread(fd, buffer, left < READ_SIZE ? (size_t)left : READ_SIZE, (off_t)at);

		if (n < 0)
			return err_sys(err, "cannot read '%s'", name);
		if (n == 0)
			return err_set(err, "'%s' is shorter than it was", name);
		hasher_add(sum, buffer, (size_t)n);
		at += (uint64_t)n;
	}
	hasher_end(sum, out);
	return 0;
}
