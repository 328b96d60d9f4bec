/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session_meet.h"

#include "lib/log.h"
#include "lib/pass.h"
#include "runner/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * A keeper answers at once, if only that it waits, too. Seconds of silence mean
 * that it is stopped; each is waited for by itself, so that a job that was
 * suspended as a whole does not find all of them over when it goes on.
 */
enum {
	SILENCE_ROUNDS = 5,
	SILENCE_MS = 1000,
	TRIES_MAX = 1000,
	PAUSE_MS = 1,
	YIELDS = 20,
	MAP_SIZE = 256,
};

enum answer { ANSWER_IN, ANSWER_GONE, ANSWER_NO };

static socklen_t make_address(const char *name, struct sockaddr_un *out)
{
	size_t len = strlen(name);

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* A name that begins with a NUL is abstract: no file. */
	memcpy(out->sun_path + 1, name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

static bool is_mine(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == geteuid();
}

static ssize_t read_map(const char *process, char map[MAP_SIZE])
{
	char path[64];
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%s/uid_map", process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read(fd, map, MAP_SIZE);
}

/*
 * Whether process @pid is outside of any container. The image's programs run as
 * the user, too, and could offer their own root to a rank that should get
 * another one. But they are in a user namespace of their own, with one user.
 */
static bool is_outside(pid_t pid)
{
	/* The first user namespace, as user_namespaces(7) shows it: nothing lies outside of that. */
	static const char all[] = "         0          0 4294967295\n";
	char ours[MAP_SIZE], theirs[MAP_SIZE], number[16];
	ssize_t len;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	len = read_map(number, theirs);
	if (len == sizeof(all) - 1 && memcmp(theirs, all, sizeof(all) - 1) == 0)
		return true;
	return len > 0 && read_map("self", ours) == len && memcmp(ours, theirs, (size_t)len) == 0;
}

static enum answer refuse(const char *why)
{
	log_info("the container is not shared: %s", why);
	return ANSWER_NO;
}

/* What the keeper says: a word, and perhaps a note. */
struct saying {
	char word;
	char note[SESSION_NOTE_MAX + 1];
};

static enum answer take_offer(struct pass *message, const struct saying *said, struct session *out)
{
	if (message->count == 2 && message->named && message->uid == geteuid() &&
	    is_outside(message->pid)) {
		out->user = message->fd[0];
		out->mnt = message->fd[1];
		memcpy(out->note, said->note, sizeof(out->note));
		return ANSWER_IN;
	}
	while (message->count > 0)
		(void)close(message->fd[--message->count]);
	return refuse("the answer did not come from a keeper");
}

static ssize_t receive(int connection, struct saying *out, struct pass *message)
{
	char text[1 + SESSION_NOTE_MAX];
	ssize_t got = pass_receive(connection, text, sizeof(text), message, 0);

	if (got > 0) {
		out->word = text[0];
		memcpy(out->note, text + 1, (size_t)got - 1);
		out->note[got - 1] = '\0';
	}
	return got;
}

/* A test has less time, and nobody more: who waits less is alone the sooner, which harms nobody else. */
static int silence_ms(void)
{
	const char *text = getenv("FIRN_TEST_SILENCE_MS");
	int ms = text ? atoi(text) : 0;

	return ms > 0 && ms < SILENCE_MS ? ms : SILENCE_MS;
}

/*
 * Wait for a word, at most SILENCE_MS. A keeper that serves answers within some
 * tens of microseconds; to give up the processor a few times first is less than
 * to fall asleep and be woken.
 */
static ssize_t hear(int connection, int yields, struct saying *out, struct pass *message)
{
	struct pollfd ready = {.fd = connection, .events = POLLIN};

	for (; yields > 0; yields--) {
		ssize_t got = receive(connection, out, message);

		if (got >= 0 || errno != EAGAIN)
			return got;
		(void)sched_yield();
	}
	(void)poll(&ready, 1, silence_ms());
	return receive(connection, out, message);
}

static enum answer ask(int connection, struct session *out)
{
	struct pass message;
	int yields = YIELDS;
	int on = 1;
	static struct saying said;

	if (!is_mine(connection))
		return refuse("another user has taken its name");
	if (setsockopt(connection, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return refuse("the keeper cannot be known");
	for (int silence = 0; silence < SILENCE_ROUNDS; silence++) {
		ssize_t got = hear(connection, yields, &said, &message);

		if (got < 0 && errno == EAGAIN)
			continue;
		if (got < 0 && errno == EPROTO)
			return refuse("the answer did not come from a keeper");
		if (got <= 0)
			return ANSWER_GONE;
		if (said.word != KEEPER_WAIT)
			return take_offer(&message, &said, out);
		silence = -1;
		yields = 0; /* it builds */
	}
	return refuse("its keeper does not answer");
}

/* One try. Returns whether it decided anything. */
static bool meet_once(const struct sockaddr_un *address, socklen_t size, struct session *out)
{
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum answer answer;

	if (fd < 0) {
		(void)refuse(strerror(errno));
		return true;
	}
	if (connect(fd, (const struct sockaddr *)address, size) == 0) {
		answer = ask(fd, out);
		out->role = answer == ANSWER_IN ? SESSION_MEMBER : SESSION_ALONE;
		return answer != ANSWER_GONE;
	}
	/* Nobody is there; or somebody between bind(2) and listen(2), or with too many at the door. */
	if (errno != ECONNREFUSED || bind(fd, (const struct sockaddr *)address, size) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return false;
	out->listener = take_fd(&fd);
	out->role = SESSION_FIRST;
	return true;
}

void session_meet(const char *name, struct session *out)
{
	struct sockaddr_un address;
	socklen_t size = make_address(name, &address);

	*out = (struct session){.role = SESSION_ALONE, .listener = -1, .user = -1, .mnt = -1};
	for (int i = 0; i < TRIES_MAX; i++) {
		if (meet_once(&address, size, out)) {
			log_debug("session %s: %s", name,
				  out->role == SESSION_FIRST    ? "the first"
				  : out->role == SESSION_MEMBER ? "a member"
								: "alone");
			return;
		}
		(void)poll(NULL, 0, PAUSE_MS);
	}
	(void)refuse("nobody opens");
}

void session_clear(struct session *session)
{
	own_close(&session->listener);
	own_close(&session->user);
	own_close(&session->mnt);
	*session = (struct session){.role = SESSION_ALONE, .listener = -1, .user = -1, .mnt = -1};
}
