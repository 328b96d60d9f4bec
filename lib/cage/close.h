/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * close.h - hold nothing but what is named.
 *
 * A process that goes on as something else should not have what it was started with, be it
 * from us or from who started us.
 */
#ifndef FIRN_LIB_CAGE_CLOSE_H
#define FIRN_LIB_CAGE_CLOSE_H

#include <stddef.h>

/*
 * Close all descriptors from @first on but the @count of @keep, which is sorted by this; those
 * below @first and -1 may be among them. By close_range(2), or by what /proc lists. Returns 0, or
 * -1 with errno: some may be open.
 */
int close_others(int first, int *keep, size_t count);

#endif
