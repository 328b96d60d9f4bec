/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * pass.h - a message over a Unix socket, with descriptors (unix(7), SCM_RIGHTS)
 * and, if wanted, with who sent it as the kernel knows it (SCM_CREDENTIALS).
 *
 * For sockets that keep messages apart (SOCK_SEQPACKET). Returns errno, not a
 * struct err, and allocates nothing: forks of daemons with threads use it.
 */
#ifndef FIRN_LIB_PASS_H
#define FIRN_LIB_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors in one message; the kernel's own limit is 253 (SCM_MAX_FD). */
enum { PASS_MAX = 4 };

struct pass {
	const void *data; /* pass_send(): borrowed, at least one byte */
	size_t size;
	int fd[PASS_MAX]; /* pass_send(): borrowed; pass_receive(): O_CLOEXEC, the caller's */
	size_t count;
	bool named;       /* pass_send(): tell who sends; pass_receive(): pid and uid are set */
	pid_t pid;
	uid_t uid;
};

/* Send one message. Never raises SIGPIPE. @flags as send(2). Returns 0, or -1 with errno. */
int pass_send(int socket, const struct pass *message, int flags);

/*
 * Receive one into @data of @size bytes. Fills all of @message but data. Returns
 * the bytes of the message, 0 at the end, or -1 with errno; then there are no
 * descriptors. Waits through EINTR. More descriptors than fit are an error (EPROTO).
 */
ssize_t pass_receive(int socket, void *data, size_t size, struct pass *message, int flags);

#endif
