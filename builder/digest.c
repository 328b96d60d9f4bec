/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/digest.h"

#include "lib/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

enum { READ_SIZE = 1 << 20, SUM_MAX = 64 };

static const struct algorithm {
	const char *prefix;
	size_t size; /* of the sum, bytes */
	const EVP_MD *(*type)(void);
} algorithms[] = {
	{"sha256:", DIGEST_SIZE, EVP_sha256},
	{"sha512:", SUM_MAX, EVP_sha512},
};

struct hasher {
	const struct algorithm *algorithm;
	EVP_MD_CTX *context;
};

/* By what @text begins with; NULL for none of them. */
static const struct algorithm *find_algorithm(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (strncmp(text, algorithms[i].prefix, strlen(algorithms[i].prefix)) == 0)
			return &algorithms[i];
	return NULL;
}

int digest_take(struct digest *digest, const char *text)
{
	const struct algorithm *algorithm = text ? find_algorithm(text) : NULL;
	const char *digits;

	if (!algorithm)
		return -1;
	digits = text + strlen(algorithm->prefix);
	if (strspn(digits, "0123456789abcdef") != 2 * algorithm->size ||
	    digits[2 * algorithm->size])
		return -1;
	memcpy(digest->text, text, strlen(text) + 1);
	return 0;
}

bool digest_settle(struct digest *digest, bool needed)
{
	struct digest copy = *digest;

	copy.text[sizeof(copy.text) - 1] = 0;
	return digest_take(digest, copy.text) == 0 || (!needed && !copy.text[0]);
}

bool digest_is(const struct digest *a, const struct digest *b)
{
	return a->text[0] && strcmp(a->text, b->text) == 0;
}

const char *digest_hex(const struct digest *digest)
{
	const struct algorithm *algorithm = find_algorithm(digest->text);

	return algorithm ? digest->text + strlen(algorithm->prefix) : "";
}

const char *digest_algorithm(const struct digest *digest, char out[DIGEST_ALGORITHM_SIZE])
{
	(void)snprintf(out, DIGEST_ALGORITHM_SIZE, "%.*s", (int)strcspn(digest->text, ":"),
		       digest->text);
	return out;
}

struct hasher *hasher_new_like(const struct digest *like)
{
	const struct algorithm *algorithm = like ? find_algorithm(like->text) : NULL;
	struct hasher *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->algorithm = algorithm ? algorithm : &algorithms[0];
	sum->context = EVP_MD_CTX_new();
	if (!sum->context || EVP_DigestInit_ex(sum->context, sum->algorithm->type(), NULL) != 1) {
		hasher_free(sum);
		errno = ENOMEM;
		return NULL;
	}
	return sum;
}

struct hasher *hasher_new(void)
{
	return hasher_new_like(NULL);
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

static void end_sum(struct hasher *sum, uint8_t *out)
{
	(void)EVP_DigestFinal_ex(sum->context, out, NULL);
	(void)EVP_DigestInit_ex(sum->context, sum->algorithm->type(), NULL);
}

void hasher_end_bytes(struct hasher *sum, uint8_t out[DIGEST_SIZE])
{
	end_sum(sum, out);
}

void hasher_end(struct hasher *sum, struct digest *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[SUM_MAX];
	char *to = stpcpy(out->text, sum->algorithm->prefix);

	end_sum(sum, bytes);
	for (size_t i = 0; i < sum->algorithm->size; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = 0;
}

int hasher_peek(const struct hasher *sum, struct digest *out, struct err *err)
{
	struct hasher copy = {sum->algorithm, EVP_MD_CTX_new()};
	bool copied = copy.context && EVP_MD_CTX_copy_ex(copy.context, sum->context) == 1;

	if (copied)
		hasher_end(&copy, out);
	EVP_MD_CTX_free(copy.context);
	return copied ? 0 : err_code(err, ENOMEM, "cannot compute a digest");
}

int digest_of_like(const struct digest *like, const void *data, size_t size, struct digest *out,
		   struct err *err)
{
	auto_hasher *sum = hasher_new_like(like);

	if (!sum)
		return err_sys(err, "cannot compute a digest");
	hasher_add(sum, data, size);
	hasher_end(sum, out);
	return 0;
}

int digest_of(const void *data, size_t size, struct digest *out, struct err *err)
{
	return digest_of_like(NULL, data, size, out, err);
}

int hasher_add_file(struct hasher *sum, int fd, uint64_t at, uint64_t end, const char *name,
		    struct err *err)
{
	auto_free char *buffer = malloc(READ_SIZE);

	if (!buffer)
		return err_sys(err, "cannot compute a digest");
	while (at < end) {
		uint64_t left = end - at;
		ssize_t n =
			file_read_at(fd, buffer, left < READ_SIZE ? (size_t)left : READ_SIZE, at);

		if (n < 0)
			return err_sys(err, "cannot read '%s'", name);
		if (n == 0)
			return err_set(err, "'%s' is shorter than it was", name);
		hasher_add(sum, buffer, (size_t)n);
		at += (uint64_t)n;
	}
	return 0;
}
