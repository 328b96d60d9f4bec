/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/helper.h"

#include "lib/own.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

enum { ANSWER_MAX = 64 << 10, TIMEOUT_MS = 30000 };

extern char **environ;

/* The name becomes a program's: letters, digits and what stands between them, no path. */
static bool is_plain(const char *name)
{
	return *name && strlen(name) < 100 && name[0] != '-' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == 0;
}

static int start(const char *program, int input, int output, pid_t *pid)
{
	char *argv[] = {(char *)program, (char *)"get", NULL};
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0)
		return code;
	code = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (code == 0)
		code = posix_spawnp(pid, program, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return code;
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All that comes until the other end is closed. -1: too much, or too slow. */
static ssize_t collect(int fd, char *text)
{
	long end = now_ms() + TIMEOUT_MS;
	size_t size = 0;

	for (;;) {
		struct pollfd poll_fd = {fd, POLLIN, 0};
		long left = end - now_ms();
		ssize_t n;

		if (left <= 0 || size == ANSWER_MAX)
			return -1;
		if (poll(&poll_fd, 1, (int)left) <= 0)
			continue;
		n = read(fd, text + size, ANSWER_MAX - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)size;
		size += (size_t)n;
	}
}

static int talk(const char *program, const char *server, char **text, size_t *out_size, struct err *err)
{
	auto_free char *answer = malloc(ANSWER_MAX + 1);
	auto_fd in_read = -1, in_write = -1, out_read = -1, out_write = -1;
	int pipes[2], code, status;
	ssize_t size;
	pid_t pid;

	if (!answer || pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, "cannot ask %s", program);
	in_read = pipes[0], in_write = pipes[1];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, "cannot ask %s", program);
	out_read = pipes[0], out_write = pipes[1];
	code = start(program, in_read, out_write, &pid);
	if (code != 0)
		return err_code(err, code, "cannot execute '%s', which the credentials' file names", program);
	own_close(&in_read), in_read = -1;
	own_close(&out_write), out_write = -1;
	(void)!write(in_write, server, strlen(server)); /* shorter than a pipe; SIGPIPE is ignored */
	own_close(&in_write), in_write = -1;
	size = collect(out_read, answer);
	if (size < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (size < 0)
		return err_set(err, "%s gives no answer", program);
	answer[size] = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return strstr(answer, "credentials not found") ? 0 :
			       err_set(err, "%s failed%s%.*s", program, *answer ? ": " : "",
				       (int)strcspn(answer, "\r\n"), answer);
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
