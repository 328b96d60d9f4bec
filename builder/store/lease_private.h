/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * lease_private.h - between lease.c (who has it) and lease_text.c (what stands in it).
 *
 * The text has the same length each time it is written by one holder, so that writing it over
 * leaves nothing of the one before. A line is "KEY VALUE"; lines may come in any order, and what is
 * not known is read over, so that a later version can say more.
 */
#ifndef FIRN_BUILDER_STORE_LEASE_PRIVATE_H
#define FIRN_BUILDER_STORE_LEASE_PRIVATE_H

#include "builder/store/lease.h"

enum { LEASE_BOOT_SIZE = 40 };

/* A process so that it can be told from all others: of this boot of this machine. */
struct lease_process {
	char boot[LEASE_BOOT_SIZE]; /* /proc/sys/kernel/random/boot_id */
	unsigned long long
		pid_space;	  /* inode of its pid namespace: numbers mean others elsewhere */
	unsigned long long start; /* ticks since boot; 0: not known */
	long pid;
};

/* lease_failed.c: a fixed place for what a holder said in the end. False: it would be too long. */
bool lease_failed_name(const char *name, char out[256]);
/* ... as the holder @token of @name in @folder; and there is nothing to be said any more. */
void lease_failed_write(int folder, const char *name, const char *token, const char *why);
void lease_failed_clear(int folder, const char *name);

/* This process. What cannot be found out is "" or 0, and nobody takes it for one that is gone. */
void lease_process_self(struct lease_process *out);
/* Whether @process has a number of this machine and pid namespace. */
bool lease_process_is_here(const struct lease_process *process);
/* Whether it is one of those, and is no more. */
bool lease_process_is_gone(const struct lease_process *process);

/* Put the text for a holder into @out. Returns its length. */
size_t lease_text_print(const struct lease_process *process, const struct lease_holder *holder,
			const char *token, unsigned long beat, char out[LEASE_TEXT_SIZE]);
/* Take @size bytes apart, whatever they are. @text is changed, and has a NUL behind. */
void lease_text_parse(char *text, size_t size, struct lease_process *process,
		      struct lease_holder *holder);

#endif
