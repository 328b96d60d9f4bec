/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cage.h - what a process of the builder's may do that takes sources and images apart.
 *
 * It has threads, memory and the descriptors that it was given (lib/cage/apart.h). It opens
 * nothing, starts nothing, connects to nothing. How much memory names, links and attributes take
 * is counted by itself (firn.conf's [build] max-memory); that all of it together does not run away
 * is a limit of the kernel's, far above what an honest one needs.
 */
#ifndef FIRN_BUILDER_CAGE_H
#define FIRN_BUILDER_CAGE_H

#include "lib/cage/cage.h"
#include "lib/conf/conf.h"

/* A cage for such a process. Libraries have loaded behind it all that they need of files. */
struct cage builder_cage(bool require);
/* It takes @threads threads, and what firn.conf's [build] allows. */
void builder_cage_allow(struct cage *cage, const struct conf *conf, size_t threads);

/* A test's: called with each name that is read of a source. */
void builder_test_hook(const char *path) __attribute__((weak));

#endif
