/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The server becomes a process of its own: in the user's namespaces, in no
 * session but its own, with no descriptor but its image and its socket.
 */
#include "runner/server/server.h"

#include "lib/own.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STACK_SIZE = 64 << 10 };

struct start {
	const struct server_options *options;
	int socket;
};

static int by_close_range(unsigned first, unsigned last)
{
	if (first > last)
		return 0;
	return (int)syscall(SYS_close_range, first, last, 0);
}

/* Without close_range(2) (Linux 5.9): what /proc lists, by and by. */
static void by_listing(int keep, int other)
{
	auto_dir *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != keep && fd != other && fd != dirfd(dir))
			(void)close(fd);
	}
}

static void close_others(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other);
	unsigned high = (unsigned)(one < other ? other : one);

	if (by_close_range(STDERR_FILENO + 1, low - 1) < 0 || by_close_range(low + 1, high - 1) < 0 ||
	    by_close_range(high + 1, ~0u) < 0)
		by_listing(one, other);
}

/*
 * Nothing of the terminal, the job's pipes or its signal settings stays. What
 * the server keeps open, nobody waiting for the end of a pipe would ever see end.
 */
static void detach(const struct start *start)
{
	static const struct rlimit no_core = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null >= 0 && null != fd && !(fd == STDERR_FILENO && start->options->log))
			(void)dup2(null, fd);
	close_others(start->options->image_fd, start->socket);
	if (chdir("/") < 0)
		_exit(1);
	for (int number = 1; number < 32; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_NAME, "firn-server", 0, 0, 0);
	/* Nobody of the same user traces it or reads its memory, from inside the container or out. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
}

/* Wait for the mounted device. Returns -1 when the launcher ended instead. */
static int receive_device(int socket)
{
	char byte;
	struct iovec piece = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *head;
	ssize_t got;
	int device;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	head = CMSG_FIRSTHDR(&message);
	if (got != 1 || !head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&device, CMSG_DATA(head), sizeof(device));
	return device;
}

/* Another engine: it gets the device and the image as descriptors of its command line. */
static int become_engine(const struct server_options *options, int device)
{
	int image = options->image_fd;

	if (fcntl(device, F_SETFD, 0) < 0 || fcntl(image, F_SETFD, 0) < 0)
		return 1;
	return options->engine(options, device);
}

static _Noreturn void server_main(const struct start *start)
{
	struct crew *crew = NULL;
	int device;

	detach(start);
	if (!start->options->engine) {
		crew = server_prepare(start->options, start->socket);
		if (!crew)
			_exit(1);
	}
	device = receive_device(start->socket);
	if (device < 0)
		_exit(0);
	if (start->options->engine)
		_exit(become_engine(start->options, device));
	_exit(server_run(crew, device));
}

/* Runs in the launcher's memory while the launcher waits; its child is nobody's child at once. */
static int middle_main(void *arg)
{
	const struct start *start = arg;
	pid_t server = fork();

	if (server == 0)
		server_main(start);
	return server < 0 ? errno : 0;
}

static int make_process(struct start *start, struct err *err)
{
	auto_free char *stack = malloc(STACK_SIZE);
	int status = 0;
	pid_t middle;

	if (!stack)
		return err_sys(err, "cannot start the mount server");
	/* No signal at its end: the program must not find one pending. */
	middle = clone(middle_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, start);
	if (middle < 0)
		return err_sys(err, "cannot start the mount server");
	while (waitpid(middle, &status, __WALL) < 0)
		if (errno != EINTR)
			return err_sys(err, "cannot start the mount server");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_code(err, WEXITSTATUS(status), "cannot start the mount server");
	return 0;
}

int server_start(const struct server_options *options, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot start the mount server");

	auto_fd theirs = pair[1];
	auto_fd ours = pair[0];
	struct start start = {options, theirs};

	if (make_process(&start, err) < 0)
		return -1;
	return take_fd(&ours);
}

int server_attach(int socket, int device, struct err *err)
{
	char byte = 0;
	struct iovec piece = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
			      .cmsg_len = CMSG_LEN(sizeof(int))}};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.head), &device, sizeof(device));
	/* A server that is gone is told by the mount: every request fails at once. */
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		return err_sys(err, "the mount server ended early");
	return 0;
}
