/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * verdict_private.h - a case that is being decided, as verdict.c (each library) and verdict_libc.c
 * (the libc, and what is said to people) share it.
 *
 * Nothing in it is owned: it lives on the stack of verdict_make(). @image_glibc is the number of
 * the image's glibc as far as its versions tell, "2.30", or "none"; a release that has brought no
 * new functions is not among them.
 */
#ifndef FIRN_MPI_GLUE_LOADER_VERDICT_PRIVATE_H
#define FIRN_MPI_GLUE_LOADER_VERDICT_PRIVATE_H

#include "mpi-glue/loader/verdict.h"

struct verdict_case {
	struct closure *host, *image;
	const struct verdict_wish *wish;
	struct verdict_table *verdict;
	const char *image_glibc;
};

/*
 * Look at the libc of both sides, and add the image's family to the host's closure if that is
 * wanted. Returns 1 if libraries of the host have a chance, 0 with the verdict's text if they have
 * none, -1 as closure_add() does.
 */
int verdict_check_libc(struct verdict_case *it, struct err *err);

/* Word why the case is lost, from the lines that are refused. */
void verdict_explain(struct verdict_case *it);

/* Decide @line, with the reason in @format. One that is too long is cut. */
void verdict_say(struct verdict_line *line, enum verdict_take take, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether @elf defines all versions that @of defines. */
bool verdict_has_all(const struct elf *elf, const struct elf *of);

#endif
