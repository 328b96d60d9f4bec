/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * keeper.h - hold a container open for those who may still come.
 *
 * Only who holds the descriptors of a container's namespaces can let others in.
 * That is the supervisor, by its keeper. It answers on the session's socket and knows
 * the tasks that came by it. When the last of them has ended it lets go; what
 * those left running keeps the mount by itself.
 *
 * On a connection a rank speaks first: the number of an eventfd(2) of its own, in
 * decimal. The keeper looks up in /proc what number that counts, and says it again
 * with all its answers. Only a process outside of all containers can do that for a
 * rank outside; so the rank knows who offers it a root. Then the keeper says KEEPER_WAIT
 * at once and every second while the container is being built, and KEEPER_READY with
 * its note and the descriptors of the user and the mount namespace, and of the image's
 * configuration as it was when the container was built, if that is kept. A task is
 * registered by connecting, as a pidfd: nothing is counted, nothing must be said at
 * its end.
 */
#ifndef FIRN_RUNNER_SESSION_KEEPER_H
#define FIRN_RUNNER_SESSION_KEEPER_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum keeper_word { KEEPER_WAIT = 'w', KEEPER_READY = 'r' };

enum {
	KEEPER_HOLDS_MAX = 3,
	KEEPER_NOTE_MAX = 4200, /* bytes of what it tells to who joins */
};

/* An answer: followed by the note, if it is KEEPER_READY. */
struct keeper_answer {
	uint64_t proof; /* what the rank's eventfd counts */
	char word;
};

/* Descriptors are the keeper's once it runs, and closed at its end. */
struct keeper {
	int listener;    /* a listening SOCK_SEQPACKET socket, non-blocking */
	pid_t task[KEEPER_HOLDS_MAX]; /* registered from the beginning; 0: none */
	int hold;        /* the container is needed until this becomes readable; -1: none */
	int linger;      /* seconds that an empty container is kept */
	const char *note; /* told to who joins, NULL: nothing */
};

/* A keeper at work. Its events come through its caller's epoll(7), see supervisor.c. */
struct keep;

/* Begin to answer on the listener. Words of events below @events_min are the caller's. NULL: it
 * cannot. */
enum { KEEP_EVENTS_MIN = 16 };
struct keep *keep_begin(const struct keeper *keeper, int epoll);
/* Something happened to what the keeper watches: epoll's data.u64. */
void keep_hear(struct keep *keep, uint64_t event);
/* The container is there: its namespaces and its configuration (-1: it is not kept), taken over. */
void keep_open(struct keep *keep, int user, int mnt, int config);
bool keep_is_open(const struct keep *keep);
/* Say what is due. Returns whether anybody still needs the keeper. */
bool keep_look(struct keep *keep);
/* For how long nothing is due, in milliseconds; -1: until something happens. */
int keep_patience(const struct keep *keep);
/* Let go: who waits is sent away, and the next to come is the first of another container. */
void keep_end(struct keep *keep);

#endif
