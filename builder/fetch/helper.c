/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/helper.h"

#include "lib/own.h"
#include "lib/wait.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

enum { ANSWER_MAX = 64 << 10, TIMEOUT_MS = 30000, END_MS = 2000, LOOK_MS = 10 };

extern char **environ;

/* The name becomes a program's: letters, digits and what stands between them, no path. */
static bool is_plain(const char *name)
{
	return *name && strlen(name) < 100 && name[0] != '-' &&
	       name[strspn(name,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] ==
		       0;
}

/* What firn-build ignores of its own would be inherited, and ends what the helper runs in no way.
 */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t usual, none;
	int code;

	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGXFSZ);
	code = posix_spawnattr_setsigdefault(attributes, &usual);
	if (code == 0)
		code = posix_spawnattr_setsigmask(attributes, &none);
	return code ? code : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF |
									  POSIX_SPAWN_SETSIGMASK);
}

static int spawn(const char *program, int input, int output, posix_spawn_file_actions_t *actions,
		 pid_t *pid)
{
	char *argv[] = {(char *)program, (char *)"get", NULL};
	posix_spawnattr_t attributes;
	int code = posix_spawnattr_init(&attributes);

	if (code != 0)
		return code;
	code = set_signals(&attributes);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	if (code == 0)
		code = posix_spawnp(pid, program, actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	return code;
}

static int start(const char *program, int input, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0)
		return code;
	code = spawn(program, input, output, &actions, pid);
	(void)posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* All that comes until the other end is closed. -1: too much, or too slow. */
static ssize_t collect(int fd, char *text)
{
	long end = wait_clock_ms() + TIMEOUT_MS;
	size_t size = 0;

	for (;;) {
		long left = end - wait_clock_ms();
		ssize_t n;

		if (left <= 0 || size == ANSWER_MAX)
			return -1;
		if (wait_readable(fd, left) <= 0)
			continue;
		n = read(fd, text + size, ANSWER_MAX - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)size;
		size += (size_t)n;
	}
}

/* Who has answered has nothing more to do. False: it had to be killed. */
static bool has_ended(pid_t pid, int *status)
{
	long end = wait_clock_ms() + END_MS;
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && wait_clock_ms() < end)
		(void)poll(NULL, 0, LOOK_MS);
	if (ended == 0)
		(void)kill(pid, SIGKILL);
	while (ended == 0 && waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return ended == pid;
}

static int talk(const char *program, const char *server, char **text, size_t *out_size,
		struct err *err)
{
	auto_free char *answer = malloc(ANSWER_MAX + 1);
	auto_fd in_read = -1, in_write = -1, out_read = -1, out_write = -1;
	int pipes[2], code, status;
	ssize_t size;
	bool ended;
	pid_t pid;

	if (!answer || pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, "cannot ask '%s'", program);
	in_read = pipes[0], in_write = pipes[1];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, "cannot ask '%s'", program);
	out_read = pipes[0], out_write = pipes[1];
	code = start(program, in_read, out_write, &pid);
	if (code != 0)
		return err_code(err, code, "cannot execute '%s', which the credentials' file names",
				program);
	own_close(&in_read), in_read = -1;
	own_close(&out_write), out_write = -1;
	(void)!write(in_write, server,
		     strlen(server)); /* shorter than a pipe; SIGPIPE is ignored */
	own_close(&in_write), in_write = -1;
	size = collect(out_read, answer);
	if (size < 0)
		(void)kill(pid, SIGKILL);
	ended = has_ended(pid, &status);
	if (size < 0)
		return err_set(err, "'%s' gives no answer within %d s, or too long a one", program,
			       TIMEOUT_MS / 1000);
	if (!ended)
		return err_set(err, "'%s' answers, but does not end", program);
	answer[size] = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return strstr(answer, "credentials not found") ? 0 :
			       err_set(err, "'%s' gives no credentials%s%.*s", program,
				       *answer ? ": " : "", (int)strcspn(answer, "\r\n"), answer);
	*out_size = (size_t)size;
	*text = take_ptr(&answer);
	return 1;
}

int helper_get(const char *name, const char *server, char **text, size_t *size, struct err *err)
{
	char program[128];

	if (!is_plain(name))
		return err_set(err, "'%s' is no name of a credential helper", name);
	(void)snprintf(program, sizeof(program), "docker-credential-%s", name);
	return talk(program, server, text, size, err);
}
