/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * session.h - enter a container that is there already.
 *
 * All ranks of a launcher on a node share one container: one user namespace,
 * one mount of the image, one page cache. Whoever wants in gets descriptors of
 * its two namespaces, enters them and goes on as the same process.
 *
 * This header is for code inside a task (the Slurm plugin) and for the runner.
 * It needs no more than session.c, ns.c and of lib err.c, file.c, pass.c, text.c and words.c, which
 * may be compiled with -fPIC into a shared object (with mpi-glue/wireup.c for the
 * last call below). See doc/decisions/session.md.
 *
 * The plugin's side, once per step and node, as the user:
 *
 *	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
 *	fork, close all descriptors but pair[1] (and 0, 1, 2), become the user, then
 *	execve(firn, {"firn", "session-start", "--control-fd=N", OPTION..., IMAGE}, the job's
 *environment);
 *
 *	session_receive(pair[0], ...)         in the parent, until it says 1 or -1
 *	keep pair[0] open                     as long as the container shall live
 *	session_enter(&offer, ...)            in each task, single threaded
 *	set its environment as the offer says
 *	wireup_task(...)                      if offer.wireup; mpi-glue/wireup.h
 *
 * The container is let go when the other end of the control socket has been
 * closed by every process that holds it, and no registered task is left.
 */
#ifndef FIRN_RUNNER_SESSION_SESSION_H
#define FIRN_RUNNER_SESSION_SESSION_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <sys/types.h>

enum { SESSION_PROCESSES_MAX = 3, SESSION_SAID_MAX = 16 };

/* What is needed to become a task of the container. */
struct session_offer {
	int user, mnt;          /* namespaces, O_CLOEXEC; owned, -1 when there is none */
	bool keep_capabilities; /* --root: the task is root of its own namespace */
	/* A task calls wireup_task() of mpi-glue/wireup.h once its environment is set. */
	bool wireup;
	/* It says: these end when the container does; 0: none. Nobody has looked whether that is
	 * true. */
	pid_t process[SESSION_PROCESSES_MAX];
	/* Variables of the job's environment to take away: NAME; owned, as all lists here
	 * (lib/words.h). */
	char **unset;
	/* ... and to set, NAME=VALUE: the image's, --env, PATH, HOME, PWD, ... */
	char **set;
	char **cwd;             /* the working directory, which was tried */
	char **said;            /* lines for the user, at most SESSION_SAID_MAX; as they came */
	/* `firn run` without a command: what the image runs; empty for a plain start. */
	char **argv;
};

/*
 * Wait at most @timeout_ms (-1: for ever) for what session-start has to say on
 * @control, the caller's end of the socket pair. Returns 1 and fills @out, 0
 * when there is nothing yet, or -1 with the line for the user in @err and an
 * exit status in err->status. A session-start that died is such an error, too,
 * and so are descriptors of anything but these namespaces.
 */
int session_receive(int control, int timeout_ms, struct session_offer *out, struct err *err);
void session_offer_clear(struct session_offer *offer);

/*
 * For a daemon that must not be held up. Whoever receives a descriptor has to close it, and to
 * close a file on a file system of the sender's, or a socket that lingers, takes as long as the
 * sender likes. So a process of its own receives one message from @control, with @room for
 * SESSION_MESSAGE_MAX bytes, and passes it on to @to, where session_receive() takes it: an offer,
 * if its descriptors are what they must be and it is the only message, an error, or in place of all
 * else an error that says so. Then the process ends, with what it holds. After an offer @control is
 * empty and stays so, and whoever has it can close it; else it is left open until its owner ends,
 * which takes no time then. Allocates nothing (the daemon may have had threads). Returns 0, or -1.
 */
int session_forward(int control, int to, char *room);
/* Say @err on @control, as session-start does. Allocates nothing. Returns 0, or -1 with errno. */
int session_refuse(int control, const struct err *err);

/*
 * Enter both namespaces, give up all capabilities (unless the offer keeps them), and with
 * no_new_privs the way to new ones, and go to the best working directory. The caller is single
 * threaded and a process of the user; it sets its environment from the offer itself. On failure it
 * may be half inside and must end.
 */
int session_enter(const struct session_offer *offer, struct err *err);

#endif
