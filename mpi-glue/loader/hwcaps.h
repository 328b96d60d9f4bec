/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * hwcaps.h - the levels of this processor for which libraries may have a better copy.
 *
 * glibc 2.33 and newer look into glibc-hwcaps/LEVEL of each folder first. x86-64 has the levels of
 * its psABI ("x86-64-v3": AVX2, BMI, FMA and others); aarch64 has none. They are asked of the
 * processor (CPUID, and XGETBV for what the kernel saves), as the loader does.
 */
#ifndef FIRN_MPI_GLUE_LOADER_HWCAPS_H
#define FIRN_MPI_GLUE_LOADER_HWCAPS_H

#include <stdint.h>

/*
 * The levels for objects of @machine (EM_... of elf(5)), the best first and NULL at the end; none
 * for a machine that is not this one. They are static. The first call asks the processor, which is
 * slow in a virtual machine (some ten microseconds); calls at once from several threads are fine.
 */
const char *const *hwcaps_levels(uint16_t machine);

#endif
