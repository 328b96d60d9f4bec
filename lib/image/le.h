/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * le.h - numbers in images, little endian, at any alignment.
 *
 * squashfs, SIF and our own record at an image's end have them so, whatever the machine. Byte by
 * byte, which gcc and clang make one load or store of where the machine allows it; a cast of the
 * pointer would trap elsewhere, and breaks the aliasing rules everywhere. The caller has checked
 * that so many bytes are there.
 */
#ifndef FIRN_LIB_IMAGE_LE_H
#define FIRN_LIB_IMAGE_LE_H

#include <stdint.h>

/*
 * The number in the 2, 4 or 8 bytes at @from, whatever it means: 64 bits of a file may be an
 * offset, a size or nonsense, and are compared with a limit before they are added to anything.
 */
static inline uint16_t le_get16(const void *from)
{
	const uint8_t *b = from;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t le_get32(const void *from)
{
	const uint8_t *b = from;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t le_get64(const void *from)
{
	return le_get32(from) | (uint64_t)le_get32((const uint8_t *)from + 4) << 32;
}

/* Put @value into the 4 or 8 bytes at @to, the lowest first. All of them are written. */
static inline void le_put32(void *to, uint32_t value)
{
	uint8_t *b = to;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(value >> 8 * i);
}

/* The lower half first. */
static inline void le_put64(void *to, uint64_t value)
{
	le_put32(to, (uint32_t)value);
	le_put32((uint8_t *)to + 4, (uint32_t)(value >> 32));
}

#endif
