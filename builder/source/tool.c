/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/tool.h"

#include "builder/squash/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <strings.h>
#include <sys/wait.h>

enum { SAID_MAX = 16 << 10 };

extern char **environ;

static const struct engine {
	const char *scheme, *program;
} engines[] = {
	{"podman:", "podman"},
	{"docker-daemon:", "docker"},
};

struct tool {
	const struct engine *engine;
	char *source;
	pid_t pid; /* 0: it has ended */
	int out;   /* the archive comes here */
	int said;  /* a file with what it said to standard error */
};

static const struct engine *find_engine(const char *source)
{
	for (size_t i = 0; i < COUNT_OF(engines); i++)
		if (strncmp(source, engines[i].scheme, strlen(engines[i].scheme)) == 0)
			return &engines[i];
	return NULL;
}

bool tool_is_meant(const char *source)
{
	return find_engine(source);
}

static const char *name_of(const struct tool *tool)
{
	return tool->source + strlen(tool->engine->scheme);
}

static int wait_for(struct tool *tool)
{
	int status = 0;

	while (waitpid(tool->pid, &status, 0) < 0 && errno == EINTR)
		;
	tool->pid = 0;
	return status;
}

void tool_free(struct tool *tool)
{
	if (!tool)
		return;
	if (tool->pid > 0) {
		(void)kill(tool->pid, SIGKILL);
		(void)wait_for(tool);
	}
	own_close(&tool->out);
	own_close(&tool->said);
	free(tool->source);
	free(tool);
}

void tool_freep(struct tool **tool)
{
	tool_free(*tool);
}

/* Signals that firn-build ignores are the program's own again. */
static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigaddset(&set, SIGXFSZ);
	if (posix_spawnattr_setsigdefault(attr, &set) != 0)
		return -1;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF);
}

/* 0, or an error number. */
static int spawn(struct tool *tool, int out)
{
	char *argv[] = {(char *)tool->engine->program, (char *)"save", (char *)name_of(tool), NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int code = ENOMEM;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) == 0) {
		if (set_signals(&attr) == 0 &&
		    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
						     0) == 0 &&
		    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
		    posix_spawn_file_actions_adddup2(&actions, tool->said, STDERR_FILENO) == 0)
			code = posix_spawnp(&tool->pid, tool->engine->program, &actions, &attr,
					    argv, environ);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	if (code != 0)
		tool->pid = 0;
	return code;
}

/* The name becomes an argument; one that looks like an option would be another request. */
static int check_name(const struct tool *tool, struct err *err)
{
	const char *name = name_of(tool);

	if (!*name)
		return err_set(err, "'%s' names no image", tool->source);
	if (*name == '-')
		return err_set(err, "'%s' is no name of an image", name);
	return 0;
}

int tool_start(const char *source, struct tool **out, struct err *err)
{
	auto_tool *tool = calloc(1, sizeof(*tool));
	auto_fd write_end = -1;
	int pipes[2], code;

	if (!tool)
		return err_sys(err, "cannot open '%s'", source);
	tool->out = tool->said = -1;
	tool->engine = find_engine(source);
	tool->source = strdup(source);
	if (!tool->source)
		return err_sys(err, "cannot open '%s'", source);
	if (check_name(tool, err) < 0)
		return -1;
	tool->said = spool_unnamed(err);
	if (tool->said < 0)
		return -1;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, "cannot open '%s'", source);
	tool->out = pipes[0];
	write_end = pipes[1];
	code = spawn(tool, write_end);
	if (code != 0)
		return err_code(err, code, "cannot execute '%s', which has the image of '%s'",
				tool->engine->program, source);
	*out = take_ptr(&tool);
	return 0;
}

/* Of all that it said the first line that is called an error, else the last one. */
static void find_reason(const struct tool *tool, char *out, size_t size)
{
	auto_free char *text = malloc(SAID_MAX + 1);
	off_t end = lseek(tool->said, 0, SEEK_END);
	ssize_t n =
		text ? pread(tool->said, text, SAID_MAX, end > SAID_MAX ? end - SAID_MAX : 0) : -1;

	out[0] = 0;
	if (n <= 0)
		return;
	text[n] = 0;
	for (char *save = NULL, *line = strtok_r(text, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		bool is_error = strncasecmp(line, "error", 5) == 0;

		if (line[strspn(line, " \t")])
			(void)snprintf(out, size, "%s", line);
		if (is_error)
			break;
	}
	for (char *tab = out; (tab = strchr(tab, '\t'));)
		*tab = ' ';
}

static int report(const struct tool *tool, int status, struct err *err)
{
	char reason[300];

	find_reason(tool, reason, sizeof(reason));
	if (WIFSIGNALED(status))
		return err_set(err, "'%s save %s' was stopped by signal %d%s%s",
			       tool->engine->program, name_of(tool), WTERMSIG(status),
			       *reason ? ": " : "", reason);
	return err_set(err, "'%s save %s' failed (exit status %d)%s%s", tool->engine->program,
		       name_of(tool), WEXITSTATUS(status), *reason ? ": " : "", reason);
}

int tool_read(struct tool *tool, const struct limits *limits, struct input **out, struct err *err)
{
	auto_input *input = NULL;
	int status;

	if (input_spool(tool->out, tool->source, limits, &input, err) < 0)
		return -1;
	status = wait_for(tool);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return report(tool, status, err);
	if (input->size == 0)
		return err_set(err, "'%s save %s' gave nothing", tool->engine->program,
			       name_of(tool));
	*out = take_ptr(&input);
	return 0;
}
