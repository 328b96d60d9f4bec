/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/env_shell.h"

#include "lib/log.h"
#include "lib/words.h"
#include "runner/plan/env_scripts.h"
#include "runner/plan/shell_env.h"
#include "runner/task/workdir.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/bin/sh"

enum { ANSWER_FD = 9 }; /* the largest that every shell can redirect to */

/*
 * What is no file, env_scripts.c passes over, too. The scripts do not get the descriptor, so that
 * what they leave running keeps nobody waiting.
 */
static const char program[] =
	"for f; do if [ -f \"$f\" ]; then . \"$f\" 9>&-; fi; done; export -p >&9";

/* Shells set these for themselves. */
static const char *const shells_own[] = {"PWD", "OLDPWD", "SHLVL", "_"};

static void become_shell(struct plan *plan, int answer, pid_t launcher)
{
	char *const leading[] = {(char *)"sh", (char *)"-c", (char *)program, (char *)"sh", NULL};
	char **argv = words_join(leading, plan->scripts);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err ignored;

	/* Who is killed while it waits for its environment leaves no shell that goes on. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != launcher)
		return;
	/* Of the working directory, too, the launcher speaks, and once. */
	log_set_level(LOG_QUIET);
	(void)workdir_enter(plan, &ignored);
	if (!argv || null < 0 || dup2(null, STDIN_FILENO) < 0)
		return;
	/* Of what firn or its caller has open the scripts get the two outputs. */
	if (answer == ANSWER_FD ? fcntl(answer, F_SETFD, 0) < 0 : dup2(answer, ANSWER_FD) < 0)
		return;
	if (close_range(STDERR_FILENO + 1, ANSWER_FD - 1, 0) < 0 ||
	    close_range(ANSWER_FD + 1, ~0U, 0) < 0)
		return;
	(void)execve(SHELL, argv, plan->env);
}

/* All that comes from @fd, NUL-terminated. */
static int read_answer(int fd, char **out, size_t *size, struct err *err)
{
	auto_free char *text = malloc(ENV_SHELL_SIZE_MAX + 1);
	size_t used = 0;
	ssize_t got = 1;

	while (text && got != 0 && used < ENV_SHELL_SIZE_MAX) {
		got = read(fd, text + used, ENV_SHELL_SIZE_MAX - used);
		if (got < 0 && errno != EINTR)
			return err_sys(err, "cannot hear the image's shell");
		used += got > 0 ? (size_t)got : 0;
	}
	if (!text)
		return err_sys(err, "cannot hear the image's shell");
	text[used] = '\0';
	*size = used;
	*out = take_ptr(&text);
	return 0;
}

/* Run it; its answer is empty when it did not come to the end. */
static int ask_shell(struct plan *plan, char **answer, size_t *size, int *status, struct err *err)
{
	pid_t launcher = getpid();
	int ends[2], result;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot run the image's shell");
	pid = fork();
	if (pid == 0) {
		become_shell(plan, ends[1], launcher);
		_exit(EXIT_NOT_FOUND);
	}
	(void)close(ends[1]);
	result = pid < 0 ? err_sys(err, "cannot run the image's shell")
			 : read_answer(ends[0], answer, size, err);
	(void)close(ends[0]);
	while (pid > 0 && waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return result;
}

static bool is_shells_own(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(shells_own); i++)
		if (strcmp(name, shells_own[i]) == 0)
			return true;
	return false;
}

static int take_variable(void *arg, const char *name, const char *value)
{
	return is_shells_own(name) ? 0 : pairs_set_value(arg, name, value);
}

/* What a shell does not say: its own variables, and names that are none to it. */
static bool is_kept(const char *text)
{
	size_t len = strcspn(text, "=");
	auto_free char *name = strndup(text, len);

	if (!name || is_shells_own(name))
		return true;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] == '_' || (name[i] >= 'a' && name[i] <= 'z') ||
		      (name[i] >= 'A' && name[i] <= 'Z') ||
		      (i > 0 && name[i] >= '0' && name[i] <= '9')))
			return true;
	return false;
}

static int take_answer(struct plan *plan, const struct shell_env *said, struct err *err)
{
	auto_pairs env = {0};

	if (shell_env_each(said, take_variable, &env) < 0)
		return err_sys(err, "cannot make the environment");
	for (char *const *text = plan->env; text && *text; text++)
		if (is_kept(*text) && pairs_set(&env, *text) < 0)
			return err_sys(err, "cannot make the environment");
	for (char *const *text = plan->own; text && *text; text++)
		if (pairs_set(&env, *text) < 0)
			return err_sys(err, "cannot make the environment");
	if ((plan->path_first || plan->path_last) &&
	    pairs_surround(&env, "PATH", plan->path_first, plan->path_last) < 0)
		return err_sys(err, "cannot make the environment");
	words_free(plan->env);
	plan->env = take_ptr(&env.words.item);
	words_free(take_ptr(&plan->scripts));
	return 0;
}

int env_shell_run(struct plan *plan, struct err *err)
{
	auto_shell_env *said = NULL;
	auto_free char *answer = NULL;
	size_t size = 0;
	unsigned line = 0;
	int status = 0;

	if (!plan->scripts)
		return 0;
	if (ask_shell(plan, &answer, &size, &status, err) < 0)
		return -1;
	if (size == 0 && access(SHELL, X_OK) < 0)
		return err_sys(err, "'%s' of '%s' needs " SHELL, plan->scripts[0], plan->image);
	if (size == 0)
		return err_set(err,
			       "one of '" ENV_SCRIPTS_DIR
			       "/*.sh' of '%s' ended before its end, with %s "
			       "%d",
			       plan->image, WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	said = shell_env_new(NULL);
	if (!said)
		return err_sys(err, "cannot make the environment");
	if (size == ENV_SHELL_SIZE_MAX || shell_env_hear(said, answer, size, &line) <= 0)
		return err_set(err, "the environment that the scripts of '%s' make cannot be read",
			       plan->image);
	log_debug("the image's shell has made the environment");
	return take_answer(plan, said, err);
}
