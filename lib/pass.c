/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/pass.h"

#include "lib/own.h"

#include <string.h>
#include <sys/socket.h>

/* Room for all that may come along. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(PASS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static void put(struct msghdr *message, union control *control, int type, const void *data,
		size_t size)
{
	struct cmsghdr *head;

	/* CMSG_NXTHDR() would look at what is not written yet. */
	head = (struct cmsghdr *)(control->room + message->msg_controllen);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = type;
	head->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(head), data, size);
	message->msg_control = control;
	message->msg_controllen += CMSG_SPACE(size);
}

int pass_send(int socket, const struct pass *pass, int flags)
{
	struct iovec piece = {(void *)(unsigned long)pass->data, pass->size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	union control control = {.room = {0}};

	if (pass->count > 0)
		put(&message, &control, SCM_RIGHTS, pass->fd, pass->count * sizeof(int));
	if (pass->named) {
		struct ucred self = {getpid(), geteuid(), getegid()};

		put(&message, &control, SCM_CREDENTIALS, &self, sizeof(self));
	}
	return sendmsg(socket, &message, flags | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Returns whether all descriptors found a place. */
static bool take_fds(struct pass *pass, const struct cmsghdr *head)
{
	size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(head) + i * sizeof(fd), sizeof(fd));
		if (pass->count < PASS_MAX)
			pass->fd[pass->count++] = fd;
		else
			(void)close(fd);
	}
	return count <= PASS_MAX;
}

static bool take(struct pass *pass, const struct cmsghdr *head)
{
	if (head->cmsg_level != SOL_SOCKET)
		return true;
	if (head->cmsg_type == SCM_RIGHTS)
		return take_fds(pass, head);
	if (head->cmsg_type == SCM_CREDENTIALS) {
		struct ucred from;

		memcpy(&from, CMSG_DATA(head), sizeof(from));
		pass->named = from.pid > 0;
		pass->pid = from.pid;
		pass->uid = from.uid;
	}
	return true;
}

ssize_t pass_receive(int socket, void *data, size_t size, struct pass *pass, int flags)
{
	struct iovec piece = {data, size};
	union control control;
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	bool whole = true;
	ssize_t got;

	*pass = (struct pass){.fd = {-1, -1, -1, -1}};
	do
		got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head;
	     head = CMSG_NXTHDR(&message, head))
		whole = take(pass, head) && whole;
	pass->size = (size_t)got;
	if (whole && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	while (pass->count > 0)
		own_close(&pass->fd[--pass->count]);
	errno = EPROTO;
	return -1;
}
