/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/pass.h"

#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_message_arrives_as_it_was_sent(void)
{
	struct pass out = {.data = "hello", .size = 5, .fd = {0, 1}, .count = 2};
	struct pass in;
	char text[8];

	ok(pass_send(pair[0], &out, 0) == 0, "two descriptors are sent");
	ok(pass_receive(pair[1], text, sizeof(text), &in, 0) == 5 && memcmp(text, "hello", 5) == 0,
	   "the bytes arrive");
	ok(in.count == 2 && in.fd[0] > 2 && in.fd[1] > 2 && in.fd[2] == -1,
	   "with both descriptors");
	ok(fcntl(in.fd[0], F_GETFD) == FD_CLOEXEC, "which execve(2) closes");
	ok(!in.named, "and nobody's name");
	(void)close(in.fd[0]);
	(void)close(in.fd[1]);
}

static void a_sender_can_be_named(void)
{
	struct pass out = {.data = "x", .size = 1, .fd = {0}, .count = 1, .named = true};
	struct pass in;
	int on = 1;
	char byte;

	(void)setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	ok(pass_send(pair[0], &out, 0) == 0 && pass_receive(pair[1], &byte, 1, &in, 0) == 1,
	   "a named message arrives");
	ok(in.named && in.pid == getpid() && in.uid == geteuid(), "with process and user");
	ok(in.count == 1, "and its descriptor");
	(void)close(in.fd[0]);
	on = 0;
	(void)setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static void what_does_not_fit_is_refused(void)
{
	int before = open_count();
	int fds[6] = {0, 0, 0, 0, 0, 0};
	struct pass out = {.data = "too long", .size = 8, .fd = {0}, .count = 1};
	struct pass in;
	struct iovec piece = {(char[]){"x"}, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fds))];
	} control = {.head = {CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr many = {.msg_iov = &piece,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control)};
	char byte;

	(void)pass_send(pair[0], &out, 0);
	ok(pass_receive(pair[1], &byte, 1, &in, 0) == -1 && errno == EPROTO, "a long message");
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	(void)sendmsg(pair[0], &many, 0);
	ok(pass_receive(pair[1], &byte, 1, &in, 0) == -1 && errno == EPROTO, "many descriptors");
	ok(in.count == 0 && open_count() == before, "and nothing of them stays open");
}

static void the_end_is_told(void)
{
	struct pass in;
	char byte;

	ok(pass_receive(pair[1], &byte, 1, &in, MSG_DONTWAIT) == -1 && errno == EAGAIN,
	   "nothing yet");
	(void)close(pair[0]);
	ok(pass_receive(pair[1], &byte, 1, &in, 0) == 0 && in.count == 0, "the end");
}

int main(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	a_message_arrives_as_it_was_sent();
	a_sender_can_be_named();
	what_does_not_fit_is_refused();
	the_end_is_told();
	return done_testing();
}
