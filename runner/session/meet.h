/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * meet.h - find the others, or be the first.
 *
 * The ranks of a launcher meet at an abstract socket (unix(7)) that bears the
 * session's name. Binding it is the lock: one succeeds, builds the container and
 * lets the others in through its keeper; they wait on a connection, without
 * polling. The name lives as long as the keeper, whatever ends it: there is no
 * file to clean up and nothing stale to find. doc/decisions/session.md.
 */
#ifndef FIRN_RUNNER_SESSION_MEET_H
#define FIRN_RUNNER_SESSION_MEET_H

#include "lib/own.h"
#include "runner/session/keeper.h"

enum session_role {
	SESSION_ALONE,  /* share with nobody */
	SESSION_FIRST,  /* build the container and hand it to a keeper, with the listener */
	SESSION_MEMBER, /* it is there: enter its namespaces */
};

/* What the meeting came to. What does not belong to the role is -1, or empty. */
struct session {
	enum session_role role;
	int listener;  /* FIRST: bound and listening, non-blocking; owned */
	/* MEMBER: the two namespaces to enter; owned. */
	int user, mnt;
	/* MEMBER: the image's configuration (content.h), -1: it is to be read inside; owned. */
	int config;
	char note[KEEPER_NOTE_MAX + 1]; /* MEMBER: of the keeper */
};

/* How one begins: alone, nothing open. */
#define SESSION_NONE                                                                               \
	{                                                                                          \
		.role = SESSION_ALONE, .listener = -1, .user = -1, .mnt = -1, .config = -1         \
	}

/*
 * Meet at @name. Waits for a first one that is still building, as long as it
 * shows that it lives. Never fails: whatever is wrong with the others (a
 * stranger has the name, nobody answers) makes ALONE, and a line at -v.
 */
void session_meet(const char *name, struct session *out);
/* Close all that it holds, and be alone again. auto_session does it at the end of the block. */
void session_clear(struct session *session);
#define auto_session CLEANUP(session_clear) struct session

#endif
