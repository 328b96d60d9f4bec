/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/keeper.h"

#include "lib/own.h"
#include "lib/pass.h"
#include "lib/wait.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

enum { HEARTBEAT_MS = 1000, GREETING_SIZE = 16 };

/* What a descriptor stands for; the rest of epoll's word is the descriptor. */
enum kind { KIND_LISTENER = KEEP_EVENTS_MIN, KIND_NEED, KIND_GUEST };

/* One who came too early. */
struct waiting {
	int connection;
	uint64_t proof;
};

struct keep {
	const struct keeper *keeper;
	int epoll;
	int user, mnt, config; /* -1 until the container is built */
	struct waiting *waiting;
	size_t waiting_count;
	int *guest;        /* connections of those who have not said anything yet */
	size_t guest_count;
	size_t needs;      /* tasks and others for whom the container must be there */
	int64_t empty_since;
	int64_t next_beat; /* when those who wait are to hear that we live */
};

static int watch(const struct keep *keep, int fd, enum kind kind)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)kind << 32 | (uint32_t)fd,
	};

	return epoll_ctl(keep->epoll, EPOLL_CTL_ADD, fd, &event);
}

/*
 * Not close(2) alone: as long as somebody has a copy of it, epoll(7) would tell
 * again.
 */
static void forget(const struct keep *keep, int fd)
{
	(void)epoll_ctl(keep->epoll, EPOLL_CTL_DEL, fd, NULL);
	(void)close(fd);
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

/* Who connected, if it is the user; the number is that of the process as long as it is connected.
 */
static pid_t peer_of(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    peer.uid != geteuid())
		return -1;
	return peer.pid;
}

static int say(const struct keep *keep, const struct waiting *to, enum keeper_word word)
{
	const char *note = word == KEEPER_READY && keep->keeper->note ? keep->keeper->note : "";
	struct keeper_answer answer = {to->proof, (char)word};
	char text[sizeof(answer) + KEEPER_NOTE_MAX];
	size_t len = strnlen(note, KEEPER_NOTE_MAX);
	struct pass message = {
		.data = text,
		.size = sizeof(answer) + len,
		.fd = {keep->user, keep->mnt, keep->config},
		.count = word != KEEPER_READY ? 0 : keep->config < 0 ? 2 : 3,
	};

	memcpy(text, &answer, sizeof(answer));
	memcpy(text + sizeof(answer), note, len);
	return pass_send(to->connection, &message, MSG_DONTWAIT);
}

static void wait_for_builder(struct keep *keep, const struct waiting *guest)
{
	struct waiting *grown =
		reallocarray(keep->waiting, keep->waiting_count + 1, sizeof(*grown));

	keep->waiting = grown ? grown : keep->waiting;
	if (!grown || say(keep, guest, KEEPER_WAIT) < 0) {
		(void)close(guest->connection);
		return;
	}
	if (keep->waiting_count == 0)
		keep->next_beat = wait_clock_ms() + HEARTBEAT_MS;
	keep->waiting[keep->waiting_count++] = *guest;
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
 * What the rank's eventfd counts: proc_pid_fdinfo(5) tells it to those who may trace
 * the rank, which no process of a container may.
 */
static bool read_proof(pid_t peer, int number, uint64_t *proof)
{
	static const char mark[] = "eventfd-count:";
	char path[64], text[512];
	const char *at;
	ssize_t got;
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)peer, number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	at = strstr(text, mark);
	if (!at)
		return false;
	*proof = strtoull(at + sizeof(mark) - 1, NULL, 16);
	return true;
}

/* Returns 1 and the number of its eventfd, 0 when it has said nothing yet, -1 for nonsense. */
static int greeting(int connection, int *number)
{
	char text[GREETING_SIZE + 1];
	ssize_t got = recv(connection, text, GREETING_SIZE, MSG_DONTWAIT);
	char *end;
	long value;

	if (got < 0 && errno == EAGAIN)
		return 0;
	text[got > 0 ? got : 0] = '\0';
	value = strtol(text, &end, 10);
	*number = (int)value;
	return end > text && *end == '\0' && value >= 0 && value <= INT32_MAX ? 1 : -1;
}

/*
 * The task is registered before it is told. Whoever could not be is sent away:
 * it then builds a container of its own, and nothing can go wrong with it.
 */
static void admit(struct keep *keep, struct waiting *guest, int number)
{
	pid_t peer = peer_of(guest->connection);
	auto_fd task = open_task(peer);
	size_t needs = keep->needs;

	/* Still connected: so the number is still that of the process. */
	if (task >= 0 && is_connected(guest->connection) && read_proof(peer, number, &guest->proof))
		need(keep, take_fd(&task));
	if (keep->needs > needs && keep->user < 0) {
		wait_for_builder(keep, guest);
		return;
	}
	if (keep->needs > needs)
		(void)say(keep, guest, KEEPER_READY);
	(void)close(guest->connection);
}

static void remember_guest(struct keep *keep, int connection)
{
	int *grown = reallocarray(keep->guest, keep->guest_count + 1, sizeof(*grown));

	keep->guest = grown ? grown : keep->guest;
	if (!grown || watch(keep, connection, KIND_GUEST) < 0)
		(void)close(connection);
	else
		keep->guest[keep->guest_count++] = connection;
}

static void forget_guest(struct keep *keep, int connection)
{
	for (size_t i = 0; i < keep->guest_count; i++)
		if (keep->guest[i] == connection) {
			(void)epoll_ctl(keep->epoll, EPOLL_CTL_DEL, connection, NULL);
			keep->guest[i] = keep->guest[--keep->guest_count];
			return;
		}
}

/* A rank says its number with the first thing it does: mostly it is there at once. */
static void hear_guest(struct keep *keep, int connection, bool is_new)
{
	struct waiting guest = {.connection = connection};
	int number;
	int result = peer_of(connection) > 0 ? greeting(connection, &number) : -1;

	if (result == 0 && is_new)
		remember_guest(keep, connection);
	if (result == 0)
		return;
	forget_guest(keep, connection);
	if (result > 0)
		admit(keep, &guest, number);
	else
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
			/* Out of descriptors: those who wait give up by and by. Do not spin
			 * meanwhile. */
			if (errno != EAGAIN)
				(void)poll(NULL, 0, 10);
			return any;
		}
		hear_guest(keep, connection, true);
		any = true;
	}
}

static void answer_waiting(struct keep *keep, enum keeper_word word)
{
	for (size_t i = 0; i < keep->waiting_count; i++)
		(void)say(keep, &keep->waiting[i], word);
	keep->next_beat = wait_clock_ms() + HEARTBEAT_MS;
}

static void dismiss_waiting(struct keep *keep)
{
	while (keep->waiting_count > 0)
		(void)close(keep->waiting[--keep->waiting_count].connection);
}

void keep_open(struct keep *keep, int user, int mnt, int config)
{
	keep->user = user;
	keep->mnt = mnt;
	keep->config = config;
	answer_waiting(keep, KEEPER_READY);
	dismiss_waiting(keep);
}

bool keep_is_open(const struct keep *keep)
{
	return keep->user >= 0;
}

void keep_hear(struct keep *keep, uint64_t word)
{
	int fd = (int)(uint32_t)word;

	switch ((enum kind)(word >> 32)) {
	case KIND_LISTENER:
		(void)admit_all(keep);
		break;
	case KIND_GUEST:
		hear_guest(keep, fd, false);
		break;
	case KIND_NEED:
		/* A process has ended, the other end of a socket was closed, a directory was
		 * removed. */
		forget(keep, fd);
		if (--keep->needs == 0)
			keep->empty_since = wait_clock_ms();
		break;
	}
}

static int until(int64_t when)
{
	int64_t left = when - wait_clock_ms();

	return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

int keep_patience(const struct keep *keep)
{
	if (keep->user < 0)
		return keep->waiting_count > 0 ? until(keep->next_beat) : -1;
	if (keep->needs > 0)
		return -1;
	return until(keep->empty_since + INT64_C(1000) * keep->keeper->linger);
}

bool keep_look(struct keep *keep)
{
	if (keep_patience(keep) != 0)
		return true;
	if (keep->user < 0) {
		answer_waiting(keep, KEEPER_WAIT);
		return true;
	}
	/* Who has connected is let in; who does from now on finds nobody, and builds anew. */
	return admit_all(keep);
}

struct keep *keep_begin(const struct keeper *keeper, int epoll)
{
	struct keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return NULL;
	*keep = (struct keep){
		.keeper = keeper, .epoll = epoll, .user = -1, .mnt = -1, .config = -1};
	raise_limit();
	keep->empty_since = wait_clock_ms();
	for (size_t i = 0; i < COUNT_OF(keeper->task); i++)
		need(keep, open_task(keeper->task[i]));
	need(keep, keeper->hold);
	/*
	 * Listening again makes this process the one that SO_PEERCRED tells, and
	 * nobody is let in before it does.
	 */
	if (listen(keeper->listener, SOMAXCONN) < 0 ||
	    watch(keep, keeper->listener, KIND_LISTENER) < 0) {
		free(keep);
		return NULL;
	}
	return keep;
}

void keep_end(struct keep *keep)
{
	if (!keep)
		return;
	forget(keep, keep->keeper->listener);
	dismiss_waiting(keep);
	free(keep->waiting);
	while (keep->guest_count > 0)
		forget(keep, keep->guest[--keep->guest_count]);
	free(keep->guest);
	if (keep->user >= 0)
		(void)close(keep->user);
	if (keep->mnt >= 0)
		(void)close(keep->mnt);
	if (keep->config >= 0)
		(void)close(keep->config);
	free(keep);
}
