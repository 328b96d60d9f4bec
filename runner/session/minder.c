/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/minder_private.h"

#include "lib/log.h"
#include "lib/own.h"
#include "lib/wait.h"
#include "runner/mount/detach.h"
#include "runner/mount/title.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
	STOPPED_MS = 2000, /* so long a worker may be stopped while there is work */
	BLAME_MS = 2000,   /* so long a worker may look for a name */
	LOOK_MS = 250,
	DEATHS_MS = 1000,  /* MINDER_DEATHS of them in this time are the end */
	AGAIN_MS = 20,	   /* there may be a process for us later ... */
	WITHOUT_MS = 5000, /* ... but not for ever */
	MORE_LIKELY = 100, /* of 1000: to be the one that goes when memory is short */
	/* linux/fuse.h has them from 6.9 on. */
	NOTIFY_RESEND = 7,
};

#define RESENT (UINT64_C(1) << 63)

static void give_up(struct minder *minder)
{
	minder->over = true;
	own_close(&minder->device);
	minder->device = -1;
}

/* Ours is read and written; the worker's is what it was when the worker was forked. */
static void set_likelihood(const struct minder *minder, long value)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%ld", value);

	if (pwrite(minder->oom, text, (size_t)len, 0) < 0)
		return;
}

static long likelihood(const struct minder *minder)
{
	char text[16] = "";

	return minder->oom >= 0 && pread(minder->oom, text, sizeof(text) - 1, 0) > 0
		       ? strtol(text, NULL, 10)
		       : 1000;
}

/* Nothing stays of what the supervisor holds but what a worker needs. */
static void leave_rest(struct minder *minder)
{
	struct detach rest = {
		.name = "firn-server",
		.keep = {minder->server.image_fd, minder->server.attach, minder->device,
			 minder->words[1]},
		.keep_count = 4,
		.log = minder->lines[1] >= 0,
	};

	title_about(minder->server.image_name);
	if (minder->lines[1] >= 0)
		(void)dup2(minder->lines[1], STDERR_FILENO);
	if (!minder->has_left) {
		detach_leave(&rest);
		return;
	}
	title_set(rest.name);
	detach_close_others(rest.keep, rest.keep_count);
}

/* One that serves a hostile image must not write to what another one reads. */
static int leave_tables(const struct minder *minder)
{
	for (size_t i = 0; i < minder->table_count; i++)
		if (minder->tables[i] != minder->server.table &&
		    munmap(minder->tables[i], sizeof(*minder->tables[i])) < 0)
			return -1;
	return 0;
}

static int worker_main(struct minder *minder)
{
	struct server_options *options = &minder->server;
	int device;

	leave_rest(minder);
	if (leave_tables(minder) < 0)
		return 1;
	if (minder->engine) {
		device = server_await(options->attach);
		return device < 0 ? 0 : minder->engine(minder->engine_arg, device);
	}
	options->device = minder->device;
	options->say = minder->words[1];
	options->refused = minder->refused;
	options->refused_count = minder->refused_count;
	if (minder->blames)
		options->blame = &minder->refused[minder->refused_count - 1];
	return server_main(options);
}

static int start_worker(struct minder *minder)
{
	long own = likelihood(minder);
	pid_t worker;

	if (own < 1000)
		set_likelihood(minder, own + MORE_LIKELY < 1000 ? own + MORE_LIKELY : 1000);
	worker = fork();
	if (worker == 0)
		_exit(worker_main(minder));
	if (own < 1000)
		set_likelihood(minder, own);
	if (worker < 0)
		return -1;
	minder->worker = worker;
	minder->stopped = 0;
	minder->answered = atomic_load(&minder->server.table->answered);
	return 0;
}

int minder_open_oom(void)
{
	return open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
}

void minder_start(struct minder *minder, bool has_left)
{
	minder->has_left = has_left;
	minder->device = minder->stderr_of = -1;
	minder->words[0] = minder->lines[0] = minder->lines[1] = -1;
	/* One message for each word; lines are bytes like any others. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       minder->words) < 0 ||
	    (minder->server.log && pipe2(minder->lines, O_CLOEXEC | O_NONBLOCK) < 0) ||
	    start_worker(minder) < 0)
		minder->over = true;
}

int minder_watch(struct minder *minder, struct err *err)
{
	if (minder->over) {
		(void)err_set(err, "cannot start the mount server: there is no process for it");
		minder_tell(minder, err);
		return -1;
	}
	minder->has_left = true;
	if (minder->program > 0)
		minder->stderr_of = (int)syscall(SYS_pidfd_open, minder->program, 0);
	own_close(&minder->server.attach);
	minder->server.attach = -1;
	return 0;
}

void minder_attach(struct minder *minder, int device)
{
	/* Another engine is not started again: nobody holds the device but it. */
	if (minder->over || minder->engine) {
		(void)close(device);
		return;
	}
	minder->device = device;
	minder_look(minder);
}

/* Requests that a dead worker had read: how many, and which, in @unique and @kind. */
static size_t left_over(struct minder *minder, struct server_kind kind[SERVER_THREADS_MAX],
			uint64_t unique[SERVER_THREADS_MAX])
{
	struct server_table *table = minder->server.table;
	unsigned alone = atomic_load(&table->alone);
	size_t count = 0;

	for (unsigned i = 0; i < SERVER_THREADS_MAX; i++) {
		if (alone > 0 && alone != i + 1)
			continue;
		if (server_kind_of(&table->slot[i], &kind[count], &unique[count]))
			count++;
	}
	return count;
}

/* How many workers ended over request @unique, with this one. */
static unsigned count_deaths(struct minder *minder, uint64_t unique)
{
	struct suspect found = {unique & ~RESENT, 0};
	size_t i = 0;

	while (i < MINDER_SUSPECTS - 1 && minder->suspect[i].unique != found.unique)
		i++;
	if (minder->suspect[i].unique == found.unique)
		found = minder->suspect[i];
	found.deaths++;
	memmove(&minder->suspect[1], &minder->suspect[0], i * sizeof(found));
	minder->suspect[0] = found;
	return found.deaths;
}

/* It stays unanswered until a line has said why: who asked may end with the error. */
static void hold_request(struct minder *minder, uint64_t unique)
{
	struct server_table *table = minder->server.table;

	for (size_t i = 0; i < SERVER_THREADS_MAX; i++) {
		struct fuse_in_header *head = (void *)table->slot[i].request;

		if (head->len != 0 && head->unique == unique)
			head->len = 0;
	}
	if (minder->held_count < COUNT_OF(minder->held))
		minder->held[minder->held_count++] = unique;
}

static void refuse(struct minder *minder, const struct server_kind *kind)
{
	struct server_kind *refused = minder->refused;

	if (minder->blames)
		minder_accuse(minder);
	if (minder->refused_count == SERVER_REFUSED_MAX)
		memmove(&refused[0], &refused[1], --minder->refused_count * sizeof(*refused));
	refused[minder->refused_count++] = *kind;
	minder->blames = true;
	minder->blames_since = wait_clock_ms();
	/* It fails now; a path would come too late. */
	if (minder_launcher_is_there(minder))
		minder_accuse(minder);
}

/* Whoever had a request in hand when a fault ended the worker may be the cause of it. */
static void find_cause(struct minder *minder)
{
	struct server_kind kind[SERVER_THREADS_MAX];
	uint64_t unique[SERVER_THREADS_MAX];
	size_t count = left_over(minder, kind, unique);

	for (size_t i = 0; i < count; i++)
		if (count_deaths(minder, unique[i]) >= 2) {
			hold_request(minder, unique[i]);
			refuse(minder, &kind[i]);
		}
}

static bool is_asked(const struct minder *minder)
{
	struct pollfd device = {.fd = minder->device, .events = POLLIN};
	struct server_kind kind;
	uint64_t unique;

	for (size_t i = 0; i < SERVER_THREADS_MAX; i++)
		if (server_kind_of(&minder->server.table->slot[i], &kind, &unique))
			return true;
	return minder->device >= 0 && poll(&device, 1, 0) > 0 && device.revents & POLLIN;
}

/* Returns whether it was one too many. */
static bool count_end(struct minder *minder, int64_t now)
{
	memmove(&minder->death[1], &minder->death[0],
		sizeof(minder->death) - sizeof(minder->death[0]));
	minder->death[0] = now;
	minder->deaths++;
	return minder->deaths >= MINDER_DEATHS &&
	       now - minder->death[MINDER_DEATHS - 1] < DEATHS_MS;
}

/*
 * The kernel sends again what it has not had an answer to: then the table, in which
 * a worker may have written anything, is of no matter. Returns how many that are.
 */
static unsigned resend(struct minder *minder)
{
	struct fuse_out_header out = {.len = sizeof(out), .error = NOTIFY_RESEND};
	struct server_table *table = minder->server.table;
	struct server_kind kind;
	uint64_t unique;
	unsigned count = 0;

	/* Tests play an older kernel. */
	if (getenv("FIRN_TEST_NO_RESEND") || minder->device < 0 ||
	    write(minder->device, &out, sizeof(out)) < 0)
		return 0;
	for (size_t i = 0; i < SERVER_THREADS_MAX; i++) {
		count += server_kind_of(&table->slot[i], &kind, &unique);
		((struct fuse_in_header *)(void *)table->slot[i].request)->len = 0;
	}
	return count;
}

static void surrender(struct minder *minder, const char *cause)
{
	struct err err;

	(void)err_set(&err, "the mount server of '%s' ended (%s): its files are gone",
		      minder->server.image_name, cause);
	minder_tell(minder, &err);
	give_up(minder);
}

static void start_again(struct minder *minder)
{
	minder->server.again = true;
	/* What is held must not come again. */
	minder->server.suspects = minder->held_count > 0 ? 0 : resend(minder);
	atomic_store(&minder->server.table->alone, 0);
	if (start_worker(minder) == 0)
		minder->without = 0;
	else if (minder->without == 0)
		minder->without = wait_clock_ms();
	else if (wait_clock_ms() - minder->without > WITHOUT_MS)
		surrender(minder, "there is no process for another one");
}

/* @cause, MINDER_DEATHS times. */
static void surrender_at_last(struct minder *minder, const char *cause)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s, %d times within a second", cause, MINDER_DEATHS);
	surrender(minder, text);
}

static bool is_fault(int signal)
{
	return signal != SIGKILL && signal != SIGXCPU && signal != SIGTERM;
}

/* It was asked something, and has not answered anything. */
static bool was_idle(const struct minder *minder)
{
	return atomic_load(&minder->server.table->answered) == minder->answered && is_asked(minder);
}

/*
 * Whether there is no use in another one. One that somebody kills, however often, is no trouble as
 * long as some of them get to answer something: on a busy machine a new one may not have run yet
 * when it is killed. @by_itself: by a fault, which counts by the second.
 */
static bool is_too_much(struct minder *minder, bool by_itself)
{
	int64_t now = wait_clock_ms();
	bool idle = was_idle(minder);

	if (!idle)
		minder->idle_deaths = 0;
	else if (minder->idle_deaths++ == 0)
		minder->idle_since = now;
	if (minder->idle_deaths >= MINDER_DEATHS && now - minder->idle_since > WITHOUT_MS)
		return true;
	return by_itself && count_end(minder, now);
}

/* Ended by a signal, or by itself with something wrong. */
static void lost(struct minder *minder, const siginfo_t *info)
{
	bool killed = info->si_code != CLD_EXITED;
	const char *cause = killed ? strsignal(info->si_status) : "an error";
	bool fault = !killed || is_fault(info->si_status);

	log_debug("supervisor: the worker ended: %s", cause);
	if (fault) {
		minder->fault = cause;
		/* What the last one was to find out it did not survive. */
		if (minder->blames)
			minder_accuse(minder);
		find_cause(minder);
	}
	if (is_too_much(minder, fault)) {
		surrender_at_last(minder, cause);
		return;
	}
	/* Before there is a mount there is nothing to serve; see minder_attach(). */
	if (minder->device >= 0)
		start_again(minder);
}

/* The mount; one that never came is gone, too. */
static bool is_gone(const struct minder *minder)
{
	struct pollfd device = {.fd = minder->device};

	return minder->device < 0 || (poll(&device, 1, 0) > 0 && device.revents & POLLERR);
}

static void ended(struct minder *minder, const siginfo_t *info)
{
	struct rusage usage;

	minder->worker = 0;
	minder_hear(minder);
	if (minder->server.log && getrusage(RUSAGE_CHILDREN, &usage) == 0)
		log_debug("server: %ld us user, %ld us system, %ld KiB resident at most",
			  usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
			  usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec,
			  usage.ru_maxrss);
	/* The mount is gone or never came; or the first one could not begin, and said why. */
	if (minder->over || minder->engine ||
	    (info->si_code == CLD_EXITED &&
	     (info->si_status == 0 ? is_gone(minder) : info->si_status == SERVER_CANNOT_BEGIN))) {
		give_up(minder);
		return;
	}
	lost(minder, info);
}

/* A worker that stands still while somebody waits for it makes room for another one. */
static void look_at_stopped(struct minder *minder)
{
	if (minder->stopped == 0 || wait_clock_ms() - minder->stopped < STOPPED_MS ||
	    !is_asked(minder))
		return;
	log_debug("supervisor: the worker is stopped, and ended");
	(void)kill(minder->worker, SIGKILL);
	minder->stopped = 0;
}

void minder_look(struct minder *minder)
{
	siginfo_t info = {.si_pid = 0};

	while (minder->worker > 0 &&
	       waitid(P_PID, (id_t)minder->worker, &info,
		      WEXITED | WSTOPPED | WCONTINUED | WNOHANG) == 0 &&
	       info.si_pid > 0) {
		if (info.si_code == CLD_STOPPED)
			minder->stopped = wait_clock_ms();
		else if (info.si_code == CLD_CONTINUED)
			minder->stopped = 0;
		else
			ended(minder, &info);
		info.si_pid = 0;
	}
	if (!minder->over && minder->worker == 0 && minder->device >= 0)
		start_again(minder);
	look_at_stopped(minder);
	if (minder->blames && wait_clock_ms() - minder->blames_since > BLAME_MS)
		minder_accuse(minder);
}

int minder_patience(const struct minder *minder)
{
	if (minder->over)
		return -1;
	if (minder->worker == 0 && minder->device >= 0)
		return AGAIN_MS;
	return minder->stopped > 0 || minder->blames ? LOOK_MS : -1;
}
