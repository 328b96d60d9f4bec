/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/closure.h"

#include <elf.h>
#include <string.h>

/* What glibc 2.17 to 2.41 installs as one. libnsl.so.1 was of it until 2.32; so is libmvec. */
#define FAMILY                                                                                     \
	"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",   \
		"libresolv.so.2", "libanl.so.1", "libmvec.so.1", "libnsl.so.1",                    \
		"libnss_compat.so.2", "libnss_dns.so.2", "libnss_files.so.2",                      \
		"libnss_hesiod.so.2", "libnss_db.so.2", "libthread_db.so.1",                       \
		"libBrokenLocale.so.1", "libc_malloc_debug.so.0", "libmemusage.so",                \
		"libpcprofile.so", NULL

static const char *const x86_64_names[] = {"ld-linux-x86-64.so.2", FAMILY};
static const char *const aarch64_names[] = {"ld-linux-aarch64.so.1", FAMILY};

const char *const *closure_libc_names(uint16_t machine)
{
	return machine == EM_AARCH64 ? aarch64_names : x86_64_names;
}

bool closure_is_libc(const char *name)
{
	if (strncmp(name, "ld-linux", 8) == 0)
		return true;
	for (const char *const *known = x86_64_names + 1; *known; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}
