/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what a process of the user's says to a daemon of root's: passed on by the
 * guard, and taken. The first byte says with which descriptors.
 */
#include "lib/pass.h"
#include "runner/session/message.h"
#include "runner/session/session.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(int hand, struct session_offer *offer)
{
	struct err err;

	if (session_receive(hand, 0, offer, &err) != 1)
		return;
	/* Each has the sign of equality that a task looks for, and all end. */
	for (char **item = offer->set; item && *item; item++)
		if (!strchr(*item, '='))
			abort();
	session_offer_clear(offer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[SESSION_MESSAGE_MAX];
	struct session_offer offer = {.user = -1, .mnt = -1};
	auto_fd user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	auto_fd mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct pass pass = {.data = data + 1, .size = size - 1, .fd = {user, mnt, user, 0}};
	int control[2], hand[2];

	if (size < 2 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return 0;
	pass.count = data[0] == 'f' ? 2 : data[0] % (PASS_MAX + 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hand) == 0) {
		if (pass_send(control[1], &pass, 0) == 0 &&
		    session_forward(control[0], hand[1], room) == 0)
			take(hand[0], &offer);
		(void)close(hand[0]);
		(void)close(hand[1]);
	}
	(void)close(control[0]);
	(void)close(control[1]);
	return 0;
}
