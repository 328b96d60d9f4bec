/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * lease.h - who of many machines does a piece of work, by a file with a heartbeat.
 *
 * Locks of the kernel are no use here: flock(2) is missing or means one machine alone on many
 * network file systems. What all of them do is link(2), of which one of several callers is told
 * that the name was free. So the holder is whoever linked his file as "NAME.1". The file says who
 * he is and how far, and a number in it grows every few seconds. Who waits judges him dead once
 * that has stood still for long enough by the waiter's own clock, or at once if he was a process of
 * this machine and is gone; no two clocks are ever compared. His heir is whoever links "NAME.2",
 * and so on: the latest generation counts. Nothing is ever moved away from under a holder, so that
 * of any number of heirs one wins. Whatever stands in the file is a stranger's: it is shown, and
 * compared with what it was, no more. A holder who was taken for dead, as after a suspension, is
 * told by lease_holds() and gives up; that two do the work at once is waste and nothing worse, if
 * its result appears as a whole. The reasons are in doc/decisions/store.md.
 */
#ifndef FIRN_BUILDER_STORE_LEASE_H
#define FIRN_BUILDER_STORE_LEASE_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <sys/types.h>

enum { LEASE_TOKEN_SIZE = 33, LEASE_TEXT_SIZE = 1024, LEASE_HOST_SIZE = 65, LEASE_WHAT_SIZE = 300 };

/* How often a holder changes his number, and how long one stands still for dead; milliseconds. */
struct lease_terms {
	long beat_ms, dead_ms;
};

/* What a holder says of himself, made fit to be shown; of a file that makes no sense "" and 0. */
struct lease_holder {
	char host[LEASE_HOST_SIZE], what[LEASE_WHAT_SIZE], token[LEASE_TOKEN_SIZE];
	long pid;
	unsigned percent; /* of the work, 0 to 100 */
	bool is_here;	  /* @pid is a number of this machine, and of this pid namespace */
};

/* What one who waits remembers of the lease between two looks at it. All zero to begin with. */
struct lease_watch {
	ino_t inode;
	long long since_ms; /* when it was seen to change last, on this machine's clock */
	size_t size;
	char text[LEASE_TEXT_SIZE];
};

struct lease;

/*
 * Take the lease @name, without dots, in the directory @folder (borrowed for as long as it is held)
 * for work that is called @what, or see who has it. Returns 1 with a new @out; 0 when it is
 * another's, who is told in @holder: try again a little later, with the same @watch; or -1 with
 * @err, also where what stands in its way cannot be moved. Never waits.
 */
int lease_try(int folder, const char *name, const char *what, const struct lease_terms *terms,
	      struct lease_watch *watch, struct lease **out, struct lease_holder *holder,
	      struct err *err);

/* Sleep for @pause_ms, or until the process of @holder, if it is here, has ended. */
void lease_sleep(const struct lease_holder *holder, long pause_ms);

/* A word of 32 hex digits that nobody else has: to name what belongs to this holder alone. */
const char *lease_token(const struct lease *lease);

/*
 * From now on a thread lets the number grow, with what @percent says of @arg. To be called when
 * no more processes are forked. Without memory for it others will take the lease over, no worse.
 */
void lease_beat(struct lease *lease, unsigned (*percent)(void *arg), void *arg);

/* What lease_beat() was given goes away; the number grows on. Fine without lease_beat(), too. */
void lease_calm(struct lease *lease);

/* Whether it is still this holder's: looks, and looks again, as it may be away for a moment. */
bool lease_holds(struct lease *lease);

/* Give it back, if it is still this holder's, and free it; NULL is fine. */
void lease_end(struct lease *lease);
void lease_endp(struct lease **lease);
#define auto_lease CLEANUP(lease_endp) struct lease

/*
 * The work came to nothing, for the reason in @why: whoever waits now need not find that out anew,
 * one after the other. To be said before lease_end(). Kept until somebody does the work, beside the
 * lease, with the holder's token: it is an answer to those alone who waited for that holder. NULL:
 * it was done.
 */
void lease_fail(const struct lease *lease, const struct err *why);
/* Whether the holder of @token said so of @name in @folder: 1 with what he said in @err, or 0. */
int lease_failure(int folder, const char *name, const char *token, struct err *err);

/* Put a name that nobody else has, ".TOKEN", for a file of a moment into @out. 0, or -1. */
int lease_unique(char out[LEASE_TOKEN_SIZE + 1]);

#endif
