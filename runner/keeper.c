/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/keeper.h"

#include "lib/own.h"
#include "lib/pass.h"
#include "runner/detach.h"
#include "runner/session_meet.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

enum { HEARTBEAT_MS = 1000, EVENTS_MAX = 16, THREAD_STACK = 128 << 10 };

/* What a descriptor stands for; the rest of epoll's word is the descriptor. */
enum kind { KIND_LISTENER, KIND_BUILDER, KIND_NEED };

struct keep {
	const struct keeper *keeper;
	int epoll;
	int user, mnt;     /* -1 until the container is built */
	int *waiting;      /* connections of those who came too early */
	size_t waiting_count;
	size_t needs;      /* tasks and others for whom the container must be there */
	int64_t empty_since;
	bool over;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int watch(const struct keep *keep, int fd, enum kind kind)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)kind << 32 | (uint32_t)fd,
	};

	return epoll_ctl(keep->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Takes over @fd. */
static void need(struct keep *keep, int fd)
{
	if (fd < 0)
		return;
	if (watch(keep, fd, KIND_NEED) < 0)
		(void)close(fd);
	else
		keep->needs++;
}

static int open_task(pid_t task)
{
	return task > 0 ? (int)syscall(SYS_pidfd_open, task, 0) : -1;
}

static bool is_connected(int connection)
{
	struct pollfd end = {.fd = connection};

	return poll(&end, 1, 0) == 0;
}

/* Who connected, if it is the user; the number is that of the process as long as it is connected. */
static pid_t peer_of(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    peer.uid != geteuid())
		return -1;
	return peer.pid;
}

static int say(const struct keep *keep, int connection, enum keeper_word word)
{
	const char *note = word == KEEPER_READY && keep->keeper->note ? keep->keeper->note : "";
	char text[1 + SESSION_NOTE_MAX] = {(char)word};
	size_t len = strnlen(note, SESSION_NOTE_MAX);
	struct pass message = {
		.data = text,
		.size = 1 + len,
		.fd = {keep->user, keep->mnt},
		.count = word == KEEPER_READY ? 2 : 0,
		.named = true,
	};

	memcpy(text + 1, note, len);
	return pass_send(connection, &message, MSG_DONTWAIT);
}

static void wait_for_builder(struct keep *keep, int connection)
{
	int *grown = reallocarray(keep->waiting, keep->waiting_count + 1, sizeof(*grown));

	if (!grown || say(keep, connection, KEEPER_WAIT) < 0) {
		keep->waiting = grown ? grown : keep->waiting;
		(void)close(connection);
		return;
	}
	keep->waiting = grown;
	keep->waiting[keep->waiting_count++] = connection;
}

/* A descriptor for each task: as many as the system allows. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/*
 * The task is registered before it is told. Whoever could not be is sent away:
 * it then builds a container of its own, and nothing can go wrong with it.
 */
static void admit(struct keep *keep, int connection)
{
	auto_fd task = open_task(peer_of(connection));
	size_t needs = keep->needs;

	/* Still connected: so the number is still that of the process. */
	if (task >= 0 && is_connected(connection))
		need(keep, take_fd(&task));
	if (keep->needs > needs && keep->user < 0) {
		wait_for_builder(keep, connection);
		return;
	}
	if (keep->needs > needs)
		(void)say(keep, connection, KEEPER_READY);
	(void)close(connection);
}

/* Returns whether anybody was there. */
static bool admit_all(struct keep *keep)
{
	bool any = false;

	for (;;) {
		int connection = accept4(keep->keeper->listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (connection < 0) {
			/* Out of descriptors: those who wait give up by and by. Do not spin meanwhile. */
			if (errno != EAGAIN)
				(void)poll(NULL, 0, 10);
			return any;
		}
		admit(keep, connection);
		any = true;
	}
}

static void answer_waiting(struct keep *keep, enum keeper_word word)
{
	for (size_t i = 0; i < keep->waiting_count; i++)
		(void)say(keep, keep->waiting[i], word);
}

static void dismiss_waiting(struct keep *keep)
{
	while (keep->waiting_count > 0)
		(void)close(keep->waiting[--keep->waiting_count]);
}

/* The builder is done, or it ended without. */
static void hear_builder(struct keep *keep)
{
	struct pass message;
	char byte;
	ssize_t got = pass_receive(keep->keeper->builder, &byte, 1, &message, MSG_DONTWAIT);

	if (got < 0 && errno == EAGAIN)
		return;
	(void)epoll_ctl(keep->epoll, EPOLL_CTL_DEL, keep->keeper->builder, NULL);
	if (got != 1 || message.count != 2) {
		keep->over = true;
		return;
	}
	keep->user = message.fd[0];
	keep->mnt = message.fd[1];
	answer_waiting(keep, KEEPER_READY);
	dismiss_waiting(keep);
}

static void hear(struct keep *keep, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;

	switch ((enum kind)(event->data.u64 >> 32)) {
	case KIND_LISTENER:
		(void)admit_all(keep);
		break;
	case KIND_BUILDER:
		hear_builder(keep);
		break;
	case KIND_NEED:
		/*
		 * A process has ended, the other end of a socket was closed, a directory was
		 * removed. Not close(2) alone: as long as somebody has a copy of it, epoll(7)
		 * would tell again.
		 */
		(void)epoll_ctl(keep->epoll, EPOLL_CTL_DEL, fd, NULL);
		(void)close(fd);
		if (--keep->needs == 0)
			keep->empty_since = now_ms();
		break;
	}
}

static bool is_needed(const struct keep *keep)
{
	return keep->needs > 0 || keep->user < 0;
}

/* How long there may be silence, in milliseconds; -1: for ever. */
static int patience(const struct keep *keep)
{
	int64_t left = keep->empty_since + INT64_C(1000) * keep->keeper->linger - now_ms();

	if (keep->user < 0)
		return HEARTBEAT_MS;
	if (is_needed(keep))
		return -1;
	return left > 0 ? (int)(left < INT32_MAX ? left : INT32_MAX) : 0;
}

static void loop(struct keep *keep)
{
	struct epoll_event event[EVENTS_MAX];

	while (!keep->over) {
		int count = epoll_wait(keep->epoll, event, EVENTS_MAX, patience(keep));

		for (int i = 0; i < count; i++)
			hear(keep, &event[i]);
		if (count == 0)
			answer_waiting(keep, KEEPER_WAIT);
		/* Who has connected is let in; who does from now on finds nobody, and builds anew. */
		if (patience(keep) == 0 && !admit_all(keep))
			keep->over = true;
	}
}

static int begin(struct keep *keep)
{
	const struct keeper *keeper = keep->keeper;

	raise_limit();
	keep->empty_since = now_ms();
	keep->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (keep->epoll < 0 || watch(keep, keeper->builder, KIND_BUILDER) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(keeper->task); i++)
		need(keep, open_task(keeper->task[i]));
	need(keep, keeper->hold);
	/*
	 * Listening again makes this process the one that SO_PEERCRED tells, and
	 * nobody is let in before it does.
	 */
	return listen(keeper->listener, SOMAXCONN) < 0 ||
			       watch(keep, keeper->listener, KIND_LISTENER) < 0
		       ? -1
		       : 0;
}

void keeper_run(const struct keeper *keeper)
{
	struct keep keep = {.keeper = keeper, .epoll = -1, .user = -1, .mnt = -1};

	if (begin(&keep) == 0)
		loop(&keep);
	(void)close(keeper->listener);
	dismiss_waiting(&keep);
	free(keep.waiting);
	(void)close(keeper->builder);
	if (keep.user >= 0)
		(void)close(keep.user);
	if (keep.mnt >= 0)
		(void)close(keep.mnt);
	if (keep.epoll >= 0)
		(void)close(keep.epoll);
}

static void *thread_main(void *arg)
{
	keeper_run(arg);
	return NULL;
}

void keeper_start_thread(const struct keeper *keeper)
{
	pthread_attr_t attr;
	pthread_t thread;

	/* Without a keeper its sockets are closed, and others build containers of their own. */
	if (pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (pthread_create(&thread, &attr, thread_main, (void *)(uintptr_t)keeper) != 0) {
		(void)close(keeper->listener);
		(void)close(keeper->builder);
	}
	(void)pthread_attr_destroy(&attr);
}

static int process_main(void *arg)
{
	keeper_run(arg);
	return 0;
}

int keeper_start_process(struct keeper *keeper, struct err *err)
{
	struct detach process = {
		.aim = "start the keeper",
		.name = "firn-keeper",
		.main = process_main,
		.arg = keeper,
		.keep = {keeper->listener, keeper->builder, keeper->hold},
		.keep_count = 3,
	};

	return detach_start(&process, err);
}

int keeper_ready(int builder, int user, int mnt, struct err *err)
{
	struct pass message = {.data = "", .size = 1, .fd = {user, mnt}, .count = 2};

	return pass_send(builder, &message, 0) < 0 ? err_sys(err, "the keeper ended early") : 0;
}
