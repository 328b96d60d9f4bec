/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What slurmstepd forks, with this program itself as firn, in several moods. As root the test
 * becomes what slurmstepd is then: root's real ids, the user's effective ones.
 */
#include "lib/pass.h"
#include "lib/wait.h"
#include "runner/session/message.h"
#include "slurm-plugin/node/start.h"
#include "tests/unit/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { USER = 61234, RECORDS = 90000, PATIENCE_MS = 30000, LINGER_S = 300 };

/* Seen by all processes of the test. */
static struct {
	atomic_int child, guard; /* about to execute firn, and its parent */
	atomic_int go;		 /* it may */
	bool watched;		 /* somebody says so */
	int dumpable, paths;
	int low, high; /* descriptors that it has open */
	int masked;
	bool seized, mem, fds, memory, guard_seized, guard_mem;
	atomic_int held; /* a process of firn's, at its end */
} * seen;

static char secret[] = "what only root may know";
static struct err err;
static int told;

static void tell(int seconds)
{
	told = seconds;
}

/* How the child looks at its last moment as a copy of slurmstepd. */
int __real_execve(const char *path, char *const *argv, char *const *env);
int __wrap_execve(const char *path, char *const *argv, char *const *env);
int __wrap_execve(const char *path, char *const *argv, char *const *env)
{
	sigset_t mask;

	if (!seen->watched)
		return __real_execve(path, argv, env);
	seen->dumpable = prctl(PR_GET_DUMPABLE);
	for (int fd = 0; fd < 512; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			(*(fd < 3 ? &seen->low : &seen->high))++;
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int signal = 1; signal < 32; signal++)
		seen->masked += sigismember(&mask, signal) == 1;
	atomic_store(&seen->guard, getppid());
	atomic_store(&seen->child, getpid());
	while (!atomic_load(&seen->go))
		(void)usleep(1000);
	return __real_execve(path, argv, env);
}

int __real_chdir(const char *path);
int __wrap_chdir(const char *path);
int __wrap_chdir(const char *path)
{
	seen->paths++;
	return __real_chdir(path);
}

static bool can_open(int pid, const char *name, int flags)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool can_read_secret(int pid)
{
	char got[sizeof(secret)] = "";
	struct iovec to = {got, sizeof(got)}, from = {secret, sizeof(secret)};

	return process_vm_readv(pid, &to, 1, &from, 1, 0) > 0;
}

/* A process of the user's, which waits for it. */
static void steal(void)
{
	int child, guard;

	if (geteuid() != getuid() &&
	    (setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0))
		_exit(1);
	while ((child = atomic_load(&seen->child)) == 0)
		(void)usleep(1000);
	guard = atomic_load(&seen->guard);
	seen->memory = can_read_secret(child);
	seen->mem = can_open(child, "mem", O_RDWR);
	seen->fds =
		can_open(child, "fd", O_RDONLY | O_DIRECTORY) && can_open(child, "fd/0", O_RDONLY);
	seen->seized = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
	seen->guard_mem = can_open(guard, "mem", O_RDWR);
	seen->guard_seized = ptrace(PTRACE_SEIZE, guard, NULL, NULL) == 0;
	atomic_store(&seen->go, 1);
	_exit(0);
}

/* firn. */

static void put(char **at, const char *record)
{
	*at = stpcpy(*at, record) + 1;
}

static void offer(int control, int first, int second, size_t count)
{
	static char text[SESSION_MESSAGE_MAX] = {SESSION_OFFER};
	struct pass pass = {.data = text, .fd = {first, second}, .count = count};
	char *at = text + 2;

	put(&at, "sA=1");
	put(&at, "c/");
	pass.size = (size_t)(at - text);
	(void)pass_send(control, &pass, 0);
}

static int namespace(const char *kind)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void offer_many(int control)
{
	static char text[SESSION_MESSAGE_MAX] = {SESSION_OFFER};
	struct pass pass = {.data = text,
			    .size = 2 + 2 * RECORDS,
			    .fd = {namespace("user"), namespace("mnt")},
			    .count = 2};

	for (size_t i = 0; i < RECORDS; i++)
		text[2 + 2 * i] = SESSION_ARG;
	(void)pass_send(control, &pass, 0);
}

/* Closing it takes as long as the sender likes: it has bytes that nobody fetches. */
static int lingering_socket(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)atoi(port))};
	struct linger linger = {1, LINGER_S};
	int one = socket(AF_INET, SOCK_STREAM, 0);
	static char bytes[1 << 16];

	if (connect(one, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	while (send(one, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	(void)setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return one;
}

static int as_firn(const char *mood, int control)
{
	struct err said = {.status = 126};

	if (strcmp(mood, "good") == 0)
		offer(control, namespace("user"), namespace("mnt"), 2);
	if (strcmp(mood, "swapped") == 0)
		offer(control, namespace("mnt"), namespace("user"), 2);
	if (strcmp(mood, "one") == 0)
		offer(control, namespace("user"), -1, 1);
	if (strcmp(mood, "file") == 0)
		offer(control, open("/dev/null", O_RDONLY), open("/etc/passwd", O_RDONLY), 2);
	if (strncmp(mood, "linger ", 7) == 0)
		offer(control, lingering_socket(mood + 7), namespace("mnt"), 2);
	if (strncmp(mood, "and more ", 9) == 0) {
		offer(control, namespace("user"), namespace("mnt"), 2);
		offer(control, lingering_socket(mood + 9), namespace("mnt"), 2);
	}
	if (strcmp(mood, "many") == 0)
		offer_many(control);
	if (strcmp(mood, "slow") == 0) {
		(void)usleep(500000);
		offer(control, namespace("user"), namespace("mnt"), 2);
	}
	if (strcmp(mood, "stops") == 0) {
		offer(control, namespace("user"), namespace("mnt"), 2);
		(void)raise(SIGSTOP);
	}
	if (strcmp(mood, "place") == 0 && getcwd(said.text, sizeof(said.text)))
		(void)session_refuse(control, &said);
	return 0;
}

/* slurmstepd. */

static int start(const char *firn, const char *mood, struct session_offer *out)
{
	char number[32];
	char *words[] = {(char *)"firn", (char *)mood, number, NULL};
	char *environment[] = {NULL};
	struct start start = {.firn = firn,
			      .words = words,
			      .environment = environment,
			      .group = -1,
			      .space = -1,
			      .waiting = tell};
	int result;

	*out = (struct session_offer){.user = -1, .mnt = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start.pair) < 0)
		return -2;
	(void)snprintf(number, sizeof(number), "%d", start.pair[1]);
	told = 0;
	err.text[0] = '\0';
	result = start_container(&start, out, &err);
	if (result == 0)
		(void)close(start.pair[0]);
	return result;
}

static int start_this(const char *mood, struct session_offer *out)
{
	return start("/proc/self/exe", mood, out);
}

static void its_user_gets_nothing_of_slurmstepd(void)
{
	struct session_offer got;
	pid_t thief = fork();

	if (thief == 0)
		steal();
	seen->watched = true;
	ok(start_this("good", &got) == 0, "a container");
	seen->watched = false;
	(void)waitpid(thief, NULL, 0);
	ok(seen->dumpable != 1, "until firn is executed the child is not dumpable");
	ok(!seen->seized && !seen->mem && !seen->memory,
	   "... its user cannot trace it or read its memory");
	ok(!seen->fds, "... nor take its descriptors");
	ok(!seen->guard_seized && !seen->guard_mem, "... nor do so with its guard");
	ok(seen->low == 3 && seen->high == 1, "it has nothing of slurmstepd's open");
	ok(seen->paths == 0, "it goes into no directory");
	ok(seen->masked == 0, "no signal is blocked in firn");
	session_offer_clear(&got);
}

static void is_refused(const char *mood)
{
	long long begin = wait_clock_ms();
	struct session_offer got;

	ok(start_this(mood, &got) == -1, "an offer that is none: %s", mood);
	is_str(err.text, "firn session-start said something that is not understood",
	       "... is refused");
	ok(wait_clock_ms() - begin < PATIENCE_MS, "... and holds nobody up");
}

static void only_namespaces_are_taken(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct session_offer got;
	long long begin;
	char mood[32];

	is_refused("swapped");
	is_refused("one");
	is_refused("file");
	if (bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 4) == 0 &&
	    getsockname(listener, (struct sockaddr *)&address, &size) == 0) {
		(void)snprintf(mood, sizeof(mood), "linger %d", ntohs(address.sin_port));
		is_refused(mood);
		(void)snprintf(mood, sizeof(mood), "and more %d", ntohs(address.sin_port));
		begin = wait_clock_ms();
		if (start_this(mood, &got) == 0)
			session_offer_clear(&got);
		ok(wait_clock_ms() - begin < PATIENCE_MS,
		   "what is said beside an offer holds nobody up");
	}
	(void)close(listener);
}

static void what_does_not_end_is_not_waited_for(void)
{
	struct session_offer got;
	long long begin = wait_clock_ms();

	ok(start_this("stops", &got) == 0, "firn stops itself after its offer");
	ok(wait_clock_ms() - begin < PATIENCE_MS, "... which is waited for with a limit");
	ok(got.user >= 0 && got.set && strcmp(got.set[0], "A=1") == 0, "... and the offer is good");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
	   "... and wait(2) knows nothing of it");
	session_offer_clear(&got);
}

/* Traced by a process of its user's, which lets it go when the test is over. */
static void what_is_held_at_its_end_is_not_waited_for(void)
{
	struct session_offer got;
	pid_t holder;
	long long begin = wait_clock_ms();

	atomic_store(&seen->child, 0);
	atomic_store(&seen->go, 0);
	atomic_store(&seen->held, 0);
	seen->watched = true;
	holder = fork();
	if (holder == 0) {
		int child;

		if (geteuid() != getuid() &&
		    (setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0))
			_exit(1);
		while ((child = atomic_load(&seen->child)) == 0)
			(void)usleep(1000);
		atomic_store(&seen->go, 1);
		for (int i = 0; i < 4000 && !atomic_load(&seen->held); i++)
			if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACEEXIT) == 0)
				atomic_store(&seen->held, 1);
			else
				(void)usleep(100);
		for (;;)
			(void)pause();
	}
	ok(start_this("slow", &got) == 0, "firn is held at its end");
	seen->watched = false;
	ok(wait_clock_ms() - begin < PATIENCE_MS, "... which is waited for with a limit%s",
	   atomic_load(&seen->held) ? "" : " (it could not be traced)");
	(void)kill(holder, SIGKILL);
	(void)waitpid(holder, NULL, 0);
	session_offer_clear(&got);
}

static void nothing(int signal)
{
	(void)signal;
}

static void a_signal_is_no_time(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};
	struct session_offer got;

	(void)sigaction(SIGALRM, &(struct sigaction){.sa_handler = nothing}, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	ok(start_this("slow", &got) == 0, "slurmstepd gets signals while it waits");
	ok(told < 3 + 1, "... and does not take them for time that is over");
	(void)setitimer(ITIMER_REAL, &never, NULL);
	session_offer_clear(&got);
}

static void a_long_message_takes_no_long_time(void)
{
	struct session_offer got;
	clock_t begin = clock();
	size_t count = 0;

	ok(start_this("many", &got) == 0, "%d records", RECORDS);
	ok((double)(clock() - begin) / CLOCKS_PER_SEC < 0.5, "... are read in no time");
	while (got.argv && got.argv[count])
		count++;
	ok(count == RECORDS, "... all of them");
	session_offer_clear(&got);
}

static void failures_are_told(void)
{
	struct session_offer got;

	ok(start("/nosuch/firn", "good", &got) == -1, "a firn that is not there");
	is_str(err.text, "'/nosuch/firn' cannot be executed on this node", "... is told");
	ok(start_this("silent", &got) == -1, "a firn that says nothing");
	is_str(err.text, "firn session-start ended without a word", "... is told");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "and no child is left");
}

static void firn_starts_where_slurmstepd_is(void)
{
	struct session_offer got;

	ok(__real_chdir("/usr") == 0 && start_this("place", &got) == -1,
	   "what firn says of itself");
	is_str(err.text, "/usr", "... and that it is where slurmstepd is");
	ok(err.status == 126, "... comes through with its status");
}

int main(int argc, char **argv)
{
	int shared;

	if (argc == 3)
		return as_firn(argv[1], atoi(argv[2]));
	shared = memfd_create("shared", 0);
	if (shared < 0 || ftruncate(shared, sizeof(*seen)) < 0)
		return 1;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
	for (int fd = 20; fd < 400; fd += 30)
		(void)dup2(shared, fd);
	if (getuid() == 0 && (setegid(USER) < 0 || seteuid(USER) < 0))
		return 1;
	its_user_gets_nothing_of_slurmstepd();
	only_namespaces_are_taken();
	what_does_not_end_is_not_waited_for();
	what_is_held_at_its_end_is_not_waited_for();
	a_signal_is_no_time();
	a_long_message_takes_no_long_time();
	failures_are_told();
	firn_starts_where_slurmstepd_is();
	/* As it was, for who looks for leaks now. */
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0))
		return 1;
	return done_testing();
}
