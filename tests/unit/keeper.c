/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/keeper.h"

#include "lib/pass.h"
#include "runner/session_key.h"
#include "runner/session_meet.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char name[SESSION_NAME_SIZE];
static struct err err;

/* A keeper in a thread, with this end of its builder's socket. */
struct kept {
	struct keeper keeper;
	int builder;
	pthread_t thread;
};

static void *run(void *arg)
{
	keeper_run(&((struct kept *)arg)->keeper);
	return NULL;
}

static bool begin(struct kept *kept, pid_t task, int hold, int linger)
{
	struct session session;
	int pair[2];

	session_meet(name, &session);
	if (session.role != SESSION_FIRST ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	kept->builder = pair[0];
	kept->keeper = (struct keeper){
		.listener = session.listener,
		.builder = pair[1],
		.task = {task},
		.hold = hold,
		.linger = linger,
	};
	return pthread_create(&kept->thread, NULL, run, kept) == 0;
}

static bool ended(struct kept *kept, int seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	return pthread_timedjoin_np(kept->thread, NULL, &until) == 0;
}

/* A process that does @work and tells by its status; or one that waits to be killed. */
static pid_t start(int (*work)(void))
{
	pid_t child = fork();

	if (child == 0) {
		if (work)
			_exit(work());
		(void)pause();
	}
	return child;
}

static int end(pid_t child, int signal)
{
	int status = -1;

	if (signal)
		(void)kill(child, signal);
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int join(void)
{
	struct session session;

	session_meet(name, &session);
	return session.role == SESSION_MEMBER && session.user >= 0 && session.mnt >= 0 ? 0 : 1;
}

static bool ready(struct kept *kept)
{
	auto_fd user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	auto_fd mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return keeper_ready(kept->builder, user, mnt, &err) == 0;
}

static void who_comes_early_waits(void)
{
	pid_t task = start(NULL), early;
	struct kept kept;

	ok(begin(&kept, task, -1, 0), "a keeper starts");
	early = start(join);
	(void)poll(NULL, 0, 1500); /* a heartbeat */
	ok(waitpid(early, NULL, WNOHANG) == 0, "nobody is let in before there is a container");
	ok(ready(&kept), "the builder says when there is");
	ok(end(early, 0) == 0, "then who waited is let in");
	ok(end(start(join), 0) == 0, "so is who comes later");
	(void)close(kept.builder);
	ok(end(start(join), 0) == 0, "also without the builder");
	(void)end(task, SIGKILL);
	ok(ended(&kept, 10), "when the last task ends the keeper ends");
}

static void a_builder_that_dies_leaves_nobody_waiting(void)
{
	pid_t task = start(NULL);
	struct session session;
	struct kept kept;

	(void)begin(&kept, task, -1, 0);
	(void)close(kept.builder);
	ok(ended(&kept, 10), "without a builder the keeper ends");
	session_meet(name, &session);
	ok(session.role == SESSION_FIRST, "and the next is the first");
	session_clear(&session);
	(void)end(task, SIGKILL);
}

static void a_socket_can_hold_the_container(void)
{
	struct kept kept;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	(void)begin(&kept, 0, pair[1], 0);
	(void)ready(&kept);
	ok(end(start(join), 0) == 0, "a task comes and goes");
	(void)poll(NULL, 0, 100);
	ok(end(start(join), 0) == 0, "and another");
	(void)close(pair[0]);
	ok(ended(&kept, 10), "until the other end of the socket is closed");
	(void)close(kept.builder);
}

static void an_empty_container_can_linger(void)
{
	pid_t task = start(NULL);
	struct kept kept;

	(void)begin(&kept, task, -1, 2);
	(void)ready(&kept);
	(void)end(task, SIGKILL);
	(void)poll(NULL, 0, 300);
	ok(end(start(join), 0) == 0, "a task that comes after the last is let in");
	ok(!ended(&kept, 1), "the keeper is patient");
	ok(ended(&kept, 10), "for a while");
	(void)close(kept.builder);
}

int main(void)
{
	(void)snprintf(name, sizeof(name), "firn-test-%d", (int)getpid());
	who_comes_early_waits();
	a_builder_that_dies_leaves_nobody_waiting();
	a_socket_can_hold_the_container();
	an_empty_container_can_linger();
	return done_testing();
}
