/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * ldcache.h - the names in a system's /etc/ld.so.cache, and the paths behind them.
 *
 * glibc's file (its dl-cache.h): an optional old table "ld.so-1.7.0", then a header
 * "glibc-ld.so.cache1.1", entries that point to names by offsets, the names, and extensions, of
 * which one lists the names of glibc-hwcaps ("x86-64-v3"). Little-endian, as are the machines that
 * we know; a cache of the other byte order is no such file. Nothing in it is trusted.
 */
#ifndef FIRN_MPI_GLUE_LOADER_LDCACHE_H
#define FIRN_MPI_GLUE_LOADER_LDCACHE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Call @seen for the name of each library ("libhwloc.so.15"). Returns how many, or
 * -1 when this is no such file or one whose parts lie outside of it.
 */
int ldcache_names(const void *data, size_t size, void (*seen)(void *arg, const char *name),
		  void *arg);

/* A cache to be searched. It borrows the file's bytes, and owns nothing. */
struct ldcache {
	const char *table;  /* the new table; all offsets count from here */
	size_t size;	    /* from there to the file's end */
	uint32_t count;	    /* entries */
	uint32_t flags;	    /* what the machine's entries have */
	const char *levels; /* the list of hwcaps: string offsets, not aligned */
	uint32_t level_count;
};

/*
 * Make the @size bytes of file @data ready for searches of libraries for @machine: EM_X86_64 or
 * EM_AARCH64 of elf(5). Returns 0, or -1 when this is no such file, or of another machine.
 */
int ldcache_open(struct ldcache *cache, const void *data, size_t size, uint16_t machine);

/*
 * The path of library @name ("libm.so.6"), or NULL if it is not there. The same steps as the
 * loader's: a binary search in the order of ldconfig(8), and of several entries that of the best
 * of @levels (names, the best first, NULL at the end), else the one for any processor. Entries of
 * glibc's old "hardware capabilities", gone since 2.37, are left out. The path is lent as long as
 * the file's bytes are.
 */
const char *ldcache_find(const struct ldcache *cache, const char *name, const char *const *levels);

#endif
