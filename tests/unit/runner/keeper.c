/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/supervisor.h"

#include "lib/pass.h"
#include "runner/session/key.h"
#include "runner/session/meet.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char name[SESSION_NAME_SIZE];
static struct err err;

/* A supervisor that only keeps, in a thread, with this end of its launcher's socket. */
struct kept {
	struct keeper keeper;
	struct supervisor supervisor;
	int builder;
	pthread_t thread;
};

static void *run(void *arg)
{
	struct kept *kept = arg;

	supervisor_run(&kept->supervisor);
	(void)close(kept->keeper.listener);
	(void)close(kept->supervisor.launcher);
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
		.task = {task},
		.hold = hold,
		.linger = linger,
	};
	kept->supervisor = (struct supervisor){.keeper = &kept->keeper, .launcher = pair[1]};
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

static int open_of(pid_t process, const char *what)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)process, what);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Namespaces as a container's: made by us. */
static pid_t make_namespaces(int *user, int *mnt)
{
	int told[2];
	char byte;
	pid_t child;

	if (pipe(told) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write(told[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	(void)close(told[1]);
	if (read(told[0], &byte, 1) == 1) {
		*user = open_of(child, "user");
		*mnt = open_of(child, "mnt");
	}
	(void)close(told[0]);
	return child;
}

static bool ready(struct kept *kept)
{
	auto_fd user = -1;
	auto_fd mnt = -1;
	pid_t child = make_namespaces(&user, &mnt);
	int result = supervisor_ready(kept->builder, user, mnt, -1, &err);

	(void)end(child, SIGKILL);
	return result == 0;
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

static int no_namespaces(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0;
}

static bool unshare_is_refused(void)
{
	return end(start(no_namespaces), 0) != 0;
}

static void who_comes_meanwhile_keeps_nobody_from_hearing(void)
{
	pid_t task = start(NULL), early, late[14];
	struct kept kept;
	int in = 0;

	ok(begin(&kept, task, -1, 0), "a keeper of a slow builder starts");
	early = start(join);
	for (size_t i = 0; i < COUNT_OF(late); i++) {
		(void)poll(NULL, 0, 500);
		late[i] = start(join);
	}
	ok(waitpid(early, NULL, WNOHANG) == 0,
	   "who waits still waits, although somebody came twice a second");
	ok(ready(&kept) && end(early, 0) == 0, "and is let in");
	for (size_t i = 0; i < COUNT_OF(late); i++)
		in += end(late[i], 0) == 0;
	ok(in == COUNT_OF(late), "as all the others are");
	(void)close(kept.builder);
	(void)end(task, SIGKILL);
	ok(ended(&kept, 10), "then all is over");
}

static void who_offers_its_own_is_not_believed(void)
{
	pid_t task = start(NULL);
	struct kept kept;
	auto_fd user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	auto_fd mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	(void)begin(&kept, task, -1, 0);
	ok(supervisor_ready(kept.builder, mnt, user, -1, &err) == 0, "namespaces of another type");
	ok(end(start(join), 0) == 1, "are no container");
	(void)close(kept.builder);
	(void)end(task, SIGKILL);
	ok(ended(&kept, 10), "and that ends as well");
}

int main(void)
{
	if (unshare_is_refused()) {
		printf("1..0 # SKIP no user namespaces\n");
		return 0;
	}
	(void)snprintf(name, sizeof(name), "firn-test-%d", (int)getpid());
	who_comes_early_waits();
	a_builder_that_dies_leaves_nobody_waiting();
	a_socket_can_hold_the_container();
	an_empty_container_can_linger();
	who_comes_meanwhile_keeps_nobody_from_hearing();
	who_offers_its_own_is_not_believed();
	return done_testing();
}
