/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * keeper.h - hold a container open for those who may still come.
 *
 * Only who holds the descriptors of a container's namespaces can let others in.
 * That is the keeper: a thread of the mount server, or a small process where an
 * image needs no server of ours. It answers on the session's socket and knows
 * the tasks that came by it. When the last of them has ended it lets go; what
 * those left running keeps the mount by itself.
 *
 * On a connection the keeper only speaks: KEEPER_WAIT at once and every second
 * while the container is being built, then KEEPER_READY with its note and the
 * descriptors of the user and the mount namespace. A task is registered by connecting, as a
 * pidfd: nothing is counted, nothing must be said at its end.
 */
#ifndef FIRN_KEEPER_H
#define FIRN_KEEPER_H

#include "lib/err.h"

#include <sys/types.h>

enum keeper_word { KEEPER_WAIT = 'w', KEEPER_READY = 'r' };

enum { KEEPER_HOLDS_MAX = 3 };

/* Descriptors are the keeper's once it runs, and closed at its end. */
struct keeper {
	int listener;    /* a listening SOCK_SEQPACKET socket, non-blocking */
	int builder;     /* socket whose other end is with the process that builds the container */
	pid_t task[KEEPER_HOLDS_MAX]; /* registered from the beginning; 0: none */
	int hold;        /* the container is needed until this becomes readable; -1: none */
	int linger;      /* seconds that an empty container is kept */
	const char *note; /* told to who joins, at most SESSION_NOTE_MAX bytes (session_meet.h); NULL: nothing */
};

/* Keep until nobody needs the container, or it was never built. */
void keeper_run(const struct keeper *keeper);

/* The same in a thread of this process, or (before unshare(2)) in a process of its own. */
void keeper_start_thread(const struct keeper *keeper);
int keeper_start_process(struct keeper *keeper, struct err *err);

/* The builder says that the container is there. The descriptors stay the caller's. */
int keeper_ready(int builder, int user, int mnt, struct err *err);

#endif
