/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * sha256.h - SHA-256 (FIPS 180-4) of a kilobyte or two.
 *
 * For naming things by what they are. Large data goes through a library that
 * uses the processor's own instructions; here its start-up would cost more than
 * the hashing.
 */
#ifndef FIRN_LIB_SHA256_H
#define FIRN_LIB_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a digest, and of what is hashed at a time. */
enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

/* A sum that is being made: no allocation, may be copied and thrown away at any time. */
struct sha256 {
	uint32_t state[8];
	uint64_t size; /* bytes so far */
	unsigned char block[SHA256_BLOCK];
};

/*
 * Begin; add any number of pieces, whose borders do not matter; end once, with the digest in
 * @digest. Afterwards @hash has to begin anew. Nothing of it can fail.
 */
void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_SIZE]);

#endif
