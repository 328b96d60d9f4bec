/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/supervisor.h"

#include "lib/cage/cage.h"
#include "lib/own.h"
#include "lib/pass.h"
#include "runner/mount/detach.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

enum { EVENTS_MAX = 16 };

/* What the launcher says: a letter, and the number of a minder. */
enum word { WORD_MOUNTED = 'm', WORD_READY = 'r' };
enum { WORD_SIZE = 2 };

/* The launcher's socket, the keeper's two, oom_score_adj, two of each minder, four of the root's.
 */
_Static_assert((int)DETACH_KEEP_MAX >= 8 + 2 * (int)SUPERVISOR_MINDERS_MAX, "all are kept");

/* What woke us, with a minder's number; the keeper's come after these. */
enum event { EVENT_LAUNCHER, EVENT_CHILD, EVENT_WORKER };

/* The supervisor at work. */
struct watch {
	struct supervisor *supervisor;
	struct keep *keep; /* NULL once it has let go */
	int epoll, child;  /* @child: a signalfd */
	bool launched;     /* the launcher has said all that it had to say */
};

static int add(const struct watch *watch, int fd, enum event what, size_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)what << 32 | number};

	return fd < 0 ? 0 : epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void let_go(struct watch *watch)
{
	if (watch->keep)
		keep_end(watch->keep);
	watch->keep = NULL;
}

static void take_word(struct watch *watch, const unsigned char *word, struct pass *message)
{
	struct supervisor *supervisor = watch->supervisor;

	if (word[0] == WORD_MOUNTED && message->count == 1 && word[1] < supervisor->minders) {
		minder_attach(&supervisor->minder[word[1]], message->fd[0]);
		message->count = 0;
	}
	if (word[0] == WORD_READY && message->count >= 2 && message->count <= 3 && watch->keep &&
	    !keep_is_open(watch->keep)) {
		keep_open(watch->keep, message->fd[0], message->fd[1], message->fd[2]);
		message->count = 0;
	}
	while (message->count > 0)
		(void)close(message->fd[--message->count]);
}

/* It is the program now, or it ended. If nothing was built nobody is to wait for it. */
static void launcher_ended(struct watch *watch)
{
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, watch->supervisor->launcher, NULL);
	watch->launched = true;
	for (size_t i = 0; i < watch->supervisor->minders; i++)
		minder_launched(&watch->supervisor->minder[i]);
	if (watch->keep && !keep_is_open(watch->keep))
		let_go(watch);
}

static void hear_launcher(struct watch *watch)
{
	struct pass message;
	unsigned char word[WORD_SIZE];
	ssize_t got;

	while ((got = pass_receive(watch->supervisor->launcher, word, sizeof(word), &message,
				   MSG_DONTWAIT)) == WORD_SIZE)
		take_word(watch, word, &message);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		launcher_ended(watch);
}

static void hear_child(struct watch *watch)
{
	struct signalfd_siginfo ignored;

	while (read(watch->child, &ignored, sizeof(ignored)) > 0)
		continue;
	for (size_t i = 0; i < watch->supervisor->minders; i++)
		minder_look(&watch->supervisor->minder[i]);
}

static void hear(struct watch *watch, uint64_t event)
{
	if (event >> 32 >= KEEP_EVENTS_MIN) {
		if (watch->keep)
			keep_hear(watch->keep, event);
		return;
	}
	switch ((enum event)(event >> 32)) {
	case EVENT_LAUNCHER:
		hear_launcher(watch);
		break;
	case EVENT_CHILD:
		hear_child(watch);
		break;
	case EVENT_WORKER:
		minder_hear(&watch->supervisor->minder[(uint32_t)event]);
		break;
	}
}

/* The shorter of two times, of which -1 has no end. */
static int sooner(int one, int other)
{
	return one < 0 ? other : other < 0 || one < other ? one : other;
}

static int patience(const struct watch *watch)
{
	const struct supervisor *supervisor = watch->supervisor;
	int result = watch->keep ? keep_patience(watch->keep) : -1;

	for (size_t i = 0; i < supervisor->minders; i++)
		result = sooner(result, minder_patience(&supervisor->minder[i]));
	return result;
}

/* How many minders are at work, after what was due is done. */
static size_t look_at_minders(const struct supervisor *supervisor)
{
	size_t count = 0;

	for (size_t i = 0; i < supervisor->minders; i++) {
		struct minder *minder = &supervisor->minder[i];

		if (minder_patience(minder) >= 0)
			minder_look(minder);
		count += !minder->over;
	}
	return count;
}

/* Whether there is still something to do, after what was due is done. */
static bool look(struct watch *watch)
{
	const struct supervisor *supervisor = watch->supervisor;
	size_t at_work = look_at_minders(supervisor);

	if (watch->keep && !keep_look(watch->keep))
		let_go(watch);
	/* A launcher that waits for its mount must not find a device that is held. */
	if (at_work < supervisor->minders && !watch->launched)
		return true;
	/* Whoever joined would find no root. */
	if (supervisor->serves_root && supervisor->minder[0].over)
		let_go(watch);
	return watch->keep || at_work > 0;
}

static void loop(struct watch *watch)
{
	struct epoll_event event[EVENTS_MAX];

	while (look(watch)) {
		int count = epoll_wait(watch->epoll, event, EVENTS_MAX, patience(watch));

		for (int i = 0; i < count; i++)
			hear(watch, event[i].data.u64);
	}
}

static int open_child_signal(void)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Those whose worker is not at work yet, as nobody waits for it so soon, start it. */
static int watch_minder(const struct watch *watch, size_t number)
{
	struct minder *minder = &watch->supervisor->minder[number];
	struct err err;

	if (number >= watch->supervisor->serves_root) {
		minder_start(minder, true);
		if (minder_watch(minder, &err) < 0)
			return -1;
	}
	return add(watch, minder->words[0], EVENT_WORKER, number) < 0 ||
			       add(watch, minder->lines[0], EVENT_WORKER, number) < 0
		       ? -1
		       : 0;
}

static int begin(struct watch *watch)
{
	struct supervisor *supervisor = watch->supervisor;
	struct err err;

	if (supervisor->serves_root && minder_watch(&supervisor->minder[0], &err) < 0)
		return -1;
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll < 0 || add(watch, supervisor->launcher, EVENT_LAUNCHER, 0) < 0)
		return -1;
	if (supervisor->keeper) {
		watch->keep = keep_begin(supervisor->keeper, watch->epoll);
		if (!watch->keep)
			return -1;
	}
	if (supervisor->minders == 0)
		return 0;
	watch->child = open_child_signal();
	if (watch->child < 0 || add(watch, watch->child, EVENT_CHILD, 0) < 0)
		return -1;
	for (size_t i = 0; i < supervisor->minders; i++)
		if (watch_minder(watch, i) < 0)
			return -1;
	/* What became of the workers before there was somebody to hear it. */
	for (size_t i = 0; i < supervisor->minders; i++)
		minder_look(&supervisor->minder[i]);
	return 0;
}

void supervisor_run(struct supervisor *supervisor)
{
	struct watch watch = {.supervisor = supervisor, .epoll = -1, .child = -1};

	if (begin(&watch) == 0)
		loop(&watch);
	let_go(&watch);
	if (watch.child >= 0)
		(void)close(watch.child);
	if (watch.epoll >= 0)
		(void)close(watch.epoll);
}

/* The time of the user's own limit is not for the work of all ranks: as much as can be had. */
static void free_time(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CPU, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_CPU, &limit);
	}
}

static void keep_fds(struct detach *detach, const int *fd, size_t count)
{
	memcpy(&detach->keep[detach->keep_count], fd, count * sizeof(*fd));
	detach->keep_count += count;
}

/* The root's worker first: the launcher waits for it, and for nothing else here. */
static void process_early(struct detach *detach)
{
	const struct supervisor *supervisor = detach->arg;
	struct minder *root = &supervisor->minder[0];
	int oom;

	if (supervisor->cpus)
		(void)sched_setaffinity(0, sizeof(*supervisor->cpus), supervisor->cpus);
	free_time();
	if (supervisor->minders == 0)
		return;
	oom = minder_open_oom();
	keep_fds(detach, &oom, 1);
	for (size_t i = 0; i < supervisor->minders; i++) {
		const int fd[] = {supervisor->minder[i].server.image_fd,
				  supervisor->minder[i].server.attach};

		supervisor->minder[i].oom = oom;
		keep_fds(detach, fd, COUNT_OF(fd));
	}
	if (supervisor->serves_root) {
		minder_start(root, false);
		keep_fds(detach, root->words, COUNT_OF(root->words));
		keep_fds(detach, root->lines, COUNT_OF(root->lines));
	}
}

static int process_main(void *arg)
{
	struct supervisor *supervisor = arg;
	struct err ignored;

	/* Users have none; root needs this one to look at the ranks (keeper.h). */
	(void)cage_drop_capabilities(1ull << CAP_SYS_PTRACE, &ignored);
	supervisor_run(supervisor);
	return 0;
}

int supervisor_start(struct supervisor *supervisor, struct err *err)
{
	const struct keeper *keeper = supervisor->keeper;
	struct detach process = {
		.aim = supervisor->minders > 0 ? "start the mount server" : "start the supervisor",
		.name = "firn-keeper",
		.early = process_early,
		.main = process_main,
		.arg = supervisor,
		.keep = {supervisor->launcher, keeper ? keeper->listener : -1,
			 keeper ? keeper->hold : -1},
		.keep_count = 3,
		.log = supervisor->minders > 0 && supervisor->minder[0].server.log,
	};

	return detach_start(&process, err);
}

static int tell(int socket, enum word word, size_t number, const int *fd, size_t count,
		struct err *err)
{
	const unsigned char text[WORD_SIZE] = {(unsigned char)word, (unsigned char)number};
	struct pass message = {.data = text, .size = sizeof(text), .count = count};

	for (size_t i = 0; i < count; i++)
		message.fd[i] = fd[i];
	return pass_send(socket, &message, 0) < 0 ? err_sys(err, "the supervisor ended early") : 0;
}

int supervisor_mounted(int socket, size_t number, int device, struct err *err)
{
	return tell(socket, WORD_MOUNTED, number, &device, 1, err);
}

int supervisor_ready(int socket, int user, int mnt, int config, struct err *err)
{
	const int fd[] = {user, mnt, config};

	return tell(socket, WORD_READY, 0, fd, config < 0 ? 2 : 3, err);
}
