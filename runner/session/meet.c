/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/meet.h"

#include "lib/log.h"
#include "lib/pass.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* Whether @fd is a namespace of @type (CLONE_NEW...): see ioctl_nsfs(2). */
static bool is_namespace(int fd, int type)
{
	return ioctl(fd, NS_GET_NSTYPE) == type;
}

static bool is_same(int fd, int other)
{
	struct stat one, two;

	return fd >= 0 && other >= 0 && fstat(fd, &one) == 0 && fstat(other, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/*
 * A user namespace that we made, and a mount namespace that belongs to it. To be able to enter
 * it says the rest: that it lies below ours (user_namespaces(7)).
 */
static bool are_mine(int user, int mnt)
{
	auto_fd owner = -1;
	uid_t uid;

	if (!is_namespace(user, CLONE_NEWUSER) || !is_namespace(mnt, CLONE_NEWNS) ||
	    ioctl(user, NS_GET_OWNER_UID, &uid) < 0 || uid != geteuid())
		return false;
	owner = ioctl(mnt, NS_GET_USERNS);
	return is_same(owner, user);
}

static enum answer refuse(const char *why)
{
	log_info("the container is not shared: %s", why);
	return ANSWER_NO;
}

/* What the keeper says. */
struct saying {
	struct keeper_answer answer;
	char note[KEEPER_NOTE_MAX + 1];
};

/*
 * A number that only processes outside of containers can find out: what an eventfd of
 * ours counts. The image's programs run as the user, too, and could offer their own root to a
 * rank that should get another one.
 */
struct secret {
	int fd; /* closed by who made it */
	uint64_t number;
};

static int make_secret(struct secret *secret)
{
	if (getrandom(&secret->number, sizeof(secret->number), 0) != sizeof(secret->number))
		return -1;
	/* It can hold all numbers but one; half of them will do. */
	secret->number = secret->number >> 1 | 1;
	secret->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return secret->fd >= 0 && write(secret->fd, &secret->number, sizeof(secret->number)) > 0
		       ? 0
		       : -1;
}

static bool is_proven(const struct saying *said, const struct secret *secret)
{
	return said->answer.proof == secret->number;
}

static void close_all(struct pass *message)
{
	while (message->count > 0)
		(void)close(message->fd[--message->count]);
}

static enum answer take_offer(struct pass *message, const struct saying *said, struct session *out)
{
	if (message->count >= 2 && message->count <= 3 &&
	    are_mine(message->fd[0], message->fd[1])) {
		out->user = message->fd[0];
		out->mnt = message->fd[1];
		out->config = message->fd[2];
		memcpy(out->note, said->note, sizeof(out->note));
		return ANSWER_IN;
	}
	close_all(message);
	return refuse("the answer did not come from a keeper");
}

static ssize_t receive(int connection, struct saying *out, struct pass *message)
{
	char text[sizeof(out->answer) + KEEPER_NOTE_MAX];
	ssize_t got = pass_receive(connection, text, sizeof(text), message, 0);
	size_t len;

	if (got <= 0)
		return got;
	*out = (struct saying){.answer = {0, 0}};
	if ((size_t)got >= sizeof(out->answer)) {
		len = (size_t)got - sizeof(out->answer);
		memcpy(&out->answer, text, sizeof(out->answer));
		memcpy(out->note, text + sizeof(out->answer), len);
		out->note[len] = '\0';
	}
	return got;
}

/* A test has less time, and nobody more: who waits less is alone the sooner, which harms nobody
 * else. */
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

static enum answer listen_to(int connection, const struct secret *secret, struct session *out)
{
	struct pass message;
	int yields = YIELDS;
	static struct saying said;

	for (int silence = 0; silence < SILENCE_ROUNDS; silence++) {
		ssize_t got = hear(connection, yields, &said, &message);

		if (got < 0 && errno == EAGAIN)
			continue;
		if (got < 0 && errno == EPROTO)
			return refuse("the answer did not come from a keeper");
		if (got <= 0)
			return ANSWER_GONE;
		if (said.answer.word != KEEPER_WAIT || !is_proven(&said, secret)) {
			if (!is_proven(&said, secret))
				close_all(&message);
			return take_offer(&message, &said, out);
		}
		silence = -1;
		yields = 0; /* it builds */
	}
	return refuse("its keeper does not answer");
}

/* The number first, before any look at who is there: then it is said when the keeper wakes up. */
static enum answer ask(int connection, const struct secret *secret, struct session *out)
{
	char greeting[16];
	int len = snprintf(greeting, sizeof(greeting), "%d", secret->fd);

	if (send(connection, greeting, (size_t)len, MSG_NOSIGNAL) != len)
		return ANSWER_GONE;
	if (!is_mine(connection))
		return refuse("another user has taken its name");
	return listen_to(connection, secret, out);
}

/* A session's place, and what a rank needs to meet there. */
struct meeting_place {
	struct sockaddr_un address;
	socklen_t size;
	struct secret secret;
};

/* One try. Returns whether it decided anything. */
static bool meet_once(const struct meeting_place *at, struct session *out)
{
	const struct sockaddr *address = (const struct sockaddr *)&at->address;
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum answer answer;

	if (fd < 0) {
		(void)refuse(strerror(errno));
		return true;
	}
	if (connect(fd, address, at->size) == 0) {
		answer = ask(fd, &at->secret, out);
		out->role = answer == ANSWER_IN ? SESSION_MEMBER : SESSION_ALONE;
		return answer != ANSWER_GONE;
	}
	/* Nobody is there; or somebody between bind(2) and listen(2), or with too many at the door.
	 */
	if (errno != ECONNREFUSED || bind(fd, address, at->size) < 0 || listen(fd, SOMAXCONN) < 0)
		return false;
	out->listener = take_fd(&fd);
	out->role = SESSION_FIRST;
	return true;
}

static void meet(const char *name, const struct meeting_place *at, struct session *out)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		if (meet_once(at, out)) {
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

void session_meet(const char *name, struct session *out)
{
	struct meeting_place at = {.secret = {.fd = -1}};

	*out = (struct session)SESSION_NONE;
	at.size = make_address(name, &at.address);
	if (make_secret(&at.secret) < 0)
		(void)refuse("the keeper cannot be known");
	else
		meet(name, &at, out);
	own_close(&at.secret.fd);
}

void session_clear(struct session *session)
{
	own_close(&session->listener);
	own_close(&session->user);
	own_close(&session->mnt);
	own_close(&session->config);
	*session = (struct session)SESSION_NONE;
}
