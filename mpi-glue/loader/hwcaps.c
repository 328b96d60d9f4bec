/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/loader/hwcaps.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <elf.h>
#include <pthread.h>

/* What a level wants, beside the one below: bits of CPUID's leaves, and of the state saved. */
struct hwcaps_level {
	uint32_t leaf1_ecx, leaf7_ebx, extended_ecx, saved;
};

enum {
	SSE3 = 1 << 0,
	SSSE3 = 1 << 9,
	FMA = 1 << 12,
	CX16 = 1 << 13,
	SSE4_1 = 1 << 19,
	SSE4_2 = 1 << 20,
	MOVBE = 1 << 22,
	POPCNT = 1 << 23,
	OSXSAVE = 1 << 27,
	AVX = 1 << 28,
	F16C = 1 << 29,
	BMI1 = 1 << 3,
	AVX2 = 1 << 5,
	BMI2 = 1 << 8,
	AVX512F = 1 << 16,
	AVX512DQ = 1 << 17,
	AVX512CD = 1 << 28,
	AVX512BW = 1 << 30,
	LAHF = 1 << 0,
	LZCNT = 1 << 5,
	SAVED_AVX = 0x06,
	SAVED_AVX512 = 0xe6,
	EXTENDED = 0x80000001,
};

#define AVX512VL (UINT32_C(1) << 31)

static const struct hwcaps_level wanted[] = {
	{SSE3 | SSSE3 | CX16 | SSE4_1 | SSE4_2 | POPCNT, 0, LAHF, 0},
	{FMA | MOVBE | OSXSAVE | AVX | F16C, BMI1 | AVX2 | BMI2, LZCNT, SAVED_AVX},
	{0, AVX512F | AVX512DQ | AVX512CD | AVX512BW | AVX512VL, 0, SAVED_AVX512},
};

enum { LEVELS = sizeof(wanted) / sizeof(wanted[0]) };

static const char *const names[LEVELS + 1] = {"x86-64-v4", "x86-64-v3", "x86-64-v2", NULL};
static unsigned reached;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t state_saved(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void ask(void)
{
	uint32_t a, b, c, d;
	struct hwcaps_level has = {0};

	if (__get_cpuid(1, &a, &b, &c, &d))
		has.leaf1_ecx = c;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		has.leaf7_ebx = b;
	if (__get_cpuid(EXTENDED, &a, &b, &c, &d))
		has.extended_ecx = c;
	if (has.leaf1_ecx & OSXSAVE)
		has.saved = state_saved();
	for (; reached < LEVELS; reached++) {
		const struct hwcaps_level *level = &wanted[reached];

		if ((has.leaf1_ecx & level->leaf1_ecx) != level->leaf1_ecx ||
		    (has.leaf7_ebx & level->leaf7_ebx) != level->leaf7_ebx ||
		    (has.extended_ecx & level->extended_ecx) != level->extended_ecx ||
		    (has.saved & level->saved) != level->saved)
			break;
	}
}

const char *const *hwcaps_levels(uint16_t machine)
{
	if (machine != EM_X86_64)
		return &names[LEVELS];
	(void)pthread_once(&once, ask);
	return &names[LEVELS - reached];
}

#else

static const char *const none[] = {NULL};

const char *const *hwcaps_levels(uint16_t machine)
{
	(void)machine;
	return none;
}

#endif
