/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/sha256.h"

#include "tests/unit/tap.h"

static const char *hex_of(const void *data, size_t size, size_t piece)
{
	static char text[2 * SHA256_SIZE + 1];
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_begin(&hash);
	for (size_t at = 0; at < size; at += piece)
		sha256_add(&hash, (const char *)data + at, size - at < piece ? size - at : piece);
	sha256_end(&hash, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

/* The examples that NIST gives for FIPS 180-4. */
static void the_examples_of_the_standard_hold(void)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char million[1000000];

	memset(million, 'a', sizeof(million));
	is_str(hex_of("", 0, 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	       "nothing");
	is_str(hex_of("abc", 3, 3),
	       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
	is_str(hex_of(two_blocks, 56, 56),
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "two blocks");
	is_str(hex_of(million, sizeof(million), 1 << 16),
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	       "a million of a");
}

static void pieces_do_not_matter(void)
{
	static char text[300];
	char whole[2 * SHA256_SIZE + 1];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	memcpy(whole, hex_of(text, sizeof(text), sizeof(text)), sizeof(whole));
	is_str(hex_of(text, sizeof(text), 1), whole, "byte by byte");
	is_str(hex_of(text, sizeof(text), 63), whole, "across the blocks");
	is_str(hex_of(text, sizeof(text), 64), whole, "block by block");
}

int main(void)
{
	the_examples_of_the_standard_hold();
	pieces_do_not_matter();
	return done_testing();
}
