/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * minder.h - the supervisor's side of the mount server: keep a worker at work.
 *
 * The minder holds the FUSE device, so that a worker may end in any way without the
 * kernel giving up the mount. The next one answers what the last one left: requests
 * that it had read stand in the shared table, and kernels from 6.9 on send them again
 * when asked (FUSE_NOTIFY_RESEND). A request on which two workers end by a fault gets
 * EIO; a worker that is stopped while there is work is replaced; one that ends again
 * and again is given up. Nothing of the image is looked at here.
 */
#ifndef FIRN_RUNNER_SESSION_MINDER_H
#define FIRN_RUNNER_SESSION_MINDER_H

#include "runner/server/server.h"

#include <sys/types.h>

/*
 * Requests that may be the cause of faults; and ends of workers within a second that are too many.
 */
enum { MINDER_SUSPECTS = 2 * SERVER_THREADS_MAX, MINDER_DEATHS = 5 };

/*
 * A minder of the supervisor's, for one image: each of several has its own device, table and
 * worker, and knows nothing of the others but their tables, which its workers must not have. Its
 * fields are in the open so that the supervisor can watch the two descriptors below; all but the
 * first part is only written here. Times are wait_clock_ms()'s.
 */
struct minder {
	/* What the caller says */
	/*
	 * For workers: all but say, device and what is behind it, which the minder fills. Its
	 * attach is closed once the first worker has it.
	 */
	struct server_options server;
	/* Another engine instead of server_main(), which gets the device and is not started again;
	 * NULL: none */
	int (*engine)(void *arg, int device);
	void *engine_arg;
	struct server_table *const *tables; /* of all minders, its own among them; borrowed */
	size_t table_count;
	pid_t program;   /* whose standard error gets lines; 0: nobody's */
	int oom;         /* /proc/self/oom_score_adj, opened early (minder_open_oom()); borrowed */
	int launcher;    /* a socket: as long as its other end is open the report tells; borrowed */

	/* Private */
	/* Descriptors, all its own, -1 for none, and the process that is at work. */
	pid_t worker;    /* 0: none */
	int device;      /* -1 until it is mounted */
	int words[2];    /* a socket pair: what workers say */
	int lines[2];    /* a pipe: their standard error; -1 if nobody is to read it */
	int stderr_of;   /* pidfd of @program */
	bool has_left;   /* the supervisor has left what its workers are to leave, too */
	bool over;
	/* What the worker of now has come to. */
	int64_t stopped; /* since when it is, ms; 0: it is not */
	int64_t without; /* since when there is no process for one */
	unsigned long answered;   /* when it was started */
	/* Ends of workers: so many in so short a time, or without use, are the end of it all. */
	int64_t death[MINDER_DEATHS]; /* of those that count, the last of them */
	size_t deaths;
	unsigned idle_deaths;     /* one after the other, without an answer between them ... */
	int64_t idle_since;       /* ... since the first of them */
	/* Requests that workers had in hand when they ended by a fault, and how often. */
	struct suspect {
		uint64_t unique;
		unsigned deaths;
	} suspect[MINDER_SUSPECTS]; /* the newest first */
	/* Kinds of requests that two of them ended over: the next worker answers EIO unseen. */
	struct server_kind refused[SERVER_REFUSED_MAX];
	size_t refused_count;
	bool blames;     /* the last of @refused has not been named yet ... */
	int64_t blames_since;
	uint64_t held[SERVER_THREADS_MAX]; /* ... and these requests get their error after that */
	size_t held_count;
	const char *fault; /* what the last one ended by that ended by a fault; static */
	/* Lines that were told, and the last of them. */
	int complaints;
	char complaint[ERR_TEXT_SIZE];
	char kept[ERR_TEXT_SIZE]; /* what the launcher was left to say; "": nothing */
};

/* For all minders of this process, while it has a name in /proc that it may write to. -1: it has
 * none. */
int minder_open_oom(void);

/*
 * Start the first worker: that of the root as the first thing that a supervisor does, as the
 * launcher waits for it (detach.h, early), others once the supervisor has left its launcher's
 * surroundings: @has_left. If it cannot be started minder_watch() says so.
 */
void minder_start(struct minder *minder, bool has_left);

/*
 * Go on once the supervisor has left its launcher's surroundings. Then @words and @lines must be
 * watched for minder_hear(), SIGCHLD for minder_look(). Returns 0, or -1 with @err, which the
 * launcher has been told, when no worker could be started.
 */
int minder_watch(struct minder *minder, struct err *err);

/* The device is mounted. Takes it over. */
void minder_attach(struct minder *minder, int device);

/*
 * The launcher is the program now, or gone. What it was left to say, and had no reason to, is told
 * the program: it will not be said again.
 */
void minder_launched(struct minder *minder);

/* There may be words in a pipe. Reads what is there and never waits. */
void minder_hear(struct minder *minder);

/* A child changed its state, or it is time to look: replaces what ended, ends what stands still. */
void minder_look(struct minder *minder);

/* For how long nothing needs to be looked at, in milliseconds; -1: until something happens. */
int minder_patience(const struct minder *minder);

#endif
