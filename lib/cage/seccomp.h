/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * seccomp.h - a list of system calls as a filter for the kernel (seccomp(2)).
 *
 * What is not on the list is refused with EPERM, not killed: a C library that tries
 * something new goes on without it. A call by another architecture's numbers ends
 * the process. Memory that can be executed is never given, also where mmap(2) or mprotect(2)
 * is listed. clone(2) on the list starts threads, and no process; clone3(2), whose arguments
 * no filter can see, is then said to be missing.
 */
#ifndef FIRN_LIB_CAGE_SECCOMP_H
#define FIRN_LIB_CAGE_SECCOMP_H

#include "lib/err.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum { SECCOMP_CALLS_MAX = 64, SECCOMP_CODE_MAX = SECCOMP_CALLS_MAX + 32 };

/*
 * Write the filter for the @count (at most SECCOMP_CALLS_MAX) numbers of @call to
 * @code. Returns its length, or 0 where this machine's architecture is not known.
 */
size_t seccomp_make(const int *call, size_t count, struct sock_filter code[SECCOMP_CODE_MAX]);

/*
 * Put it before all threads of the process, for good. no_new_privs is set. Returns
 * 0, or -1 with ENOSYS in err->code where the kernel or we cannot do that.
 */
int seccomp_close(const int *call, size_t count, struct err *err);

/* Whether seccomp_close() can work here. */
bool seccomp_works(void);

#endif
