/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The server becomes a process of its own, with no descriptor but its image and its socket. */
#include "runner/server/server.h"

#include "lib/own.h"
#include "lib/pass.h"
#include "runner/detach.h"

#include <fcntl.h>
#include <sys/socket.h>

struct start {
	const struct server_options *options;
	int socket;
};

/* Wait for the mounted device. Returns -1 when the launcher ended instead. */
static int receive_device(int socket)
{
	struct pass message;
	char byte;

	return pass_receive(socket, &byte, 1, &message, 0) == 1 ? message.fd[0] : -1;
}

/* Another engine: it gets the device and the image as descriptors of its command line. */
static int become_engine(const struct server_options *options, int device)
{
	int image = options->image_fd;

	if (fcntl(device, F_SETFD, 0) < 0 || fcntl(image, F_SETFD, 0) < 0)
		return 1;
	return options->engine(options, device);
}

static int server_main(void *arg)
{
	const struct start *start = arg;
	struct crew *crew = NULL;
	int device;

	if (start->options->cpus)
		(void)sched_setaffinity(0, sizeof(*start->options->cpus), start->options->cpus);
	if (start->options->keeper)
		keeper_start_thread(start->options->keeper);
	if (!start->options->engine) {
		crew = server_prepare(start->options, start->socket);
		if (!crew)
			return 1;
	}
	device = receive_device(start->socket);
	if (device < 0)
		return 0;
	if (start->options->engine)
		return become_engine(start->options, device);
	return server_run(crew, device);
}

int server_start(const struct server_options *options, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot start the mount server");

	auto_fd theirs = pair[1];
	auto_fd ours = pair[0];
	struct start start = {options, theirs};
	struct detach process = {
		.aim = "start the mount server",
		.name = "firn-server",
		.main = server_main,
		.arg = &start,
		.keep = {options->image_fd, theirs},
		.keep_count = 2,
		.log = options->log,
	};

	if (options->keeper) {
		process.keep[process.keep_count++] = options->keeper->listener;
		process.keep[process.keep_count++] = options->keeper->builder;
		process.keep[process.keep_count++] = options->keeper->hold;
	}
	if (detach_start(&process, err) < 0)
		return -1;
	return take_fd(&ours);
}

int server_attach(int socket, int device, struct err *err)
{
	struct pass message = {.data = "", .size = 1, .fd = {device}, .count = 1};

	/* A server that is gone is told by the mount: every request fails at once. */
	return pass_send(socket, &message, 0) < 0 ? err_sys(err, "the mount server ended early") : 0;
}
