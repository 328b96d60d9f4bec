/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/offer.h"

#include "lib/log.h"
#include "lib/pass.h"
#include "runner/mount/detach.h"
#include "runner/session/message.h"
#include "runner/session/session.h"
#include "runner/task/workdir.h"

#include <string.h>

struct message {
	char text[SESSION_MESSAGE_MAX];
	size_t size;
	bool full;
};

static void add(struct message *message, char letter, const char *text, size_t len)
{
	if (len + 2 > sizeof(message->text) - message->size) {
		message->full = true;
		return;
	}
	message->text[message->size++] = letter;
	memcpy(message->text + message->size, text, len);
	message->size += len;
	message->text[message->size++] = '\0';
}

static void add_all(struct message *message, char letter, char *const *vector)
{
	for (; vector && *vector; vector++)
		add(message, letter, *vector, strlen(*vector));
}

/* What this process says: its standard error is nobody's, so the caller is told. */
static struct {
	char *line[SESSION_SAID_MAX + 1];
	size_t count;
} said;

static void keep_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	if (said.count < SESSION_SAID_MAX)
		said.line[said.count++] = strndup(line, len - 1);
	(void)!write(STDERR_FILENO, line, len);
}

/* The entry of @env with the name of @text, up to its '='. */
static const char *find(char *const *env, const char *text)
{
	size_t len = strcspn(text, "=");

	for (; *env; env++)
		if (strncmp(*env, text, len) == 0 && ((*env)[len] == '=' || (*env)[len] == '\0'))
			return *env;
	return NULL;
}

/* How the task's environment differs from ours, which the job's tasks have, too. */
static void add_env(struct message *message, char *const *env)
{
	for (char *const *host = environ; *host; host++)
		if (!find(env, *host))
			add(message, SESSION_UNSET, *host, strcspn(*host, "="));
	for (; *env; env++) {
		const char *host = find(environ, *env);

		if (!host || strcmp(host, *env) != 0)
			add(message, SESSION_SET, *env, strlen(*env));
	}
}

/* Those that @request's caller may wait for: a job's mark says when the others end. */
static void add_processes(struct message *message, const struct request *request)
{
	char number[16];
	pid_t process;

	_Static_assert((int)DETACH_STARTED_MAX == (int)SESSION_PROCESSES_MAX, "all are told");

	for (size_t i = 0; !request->hold_path && (process = detach_started(i)) > 0; i++)
		add(message, SESSION_PROCESS, number,
		    (size_t)snprintf(number, sizeof(number), "%d", (int)process));
}

/* Called inside the container, where its directories can be tried. */
int offer_send(int control, const struct container *container, int user, int mnt, struct err *err)
{
	struct plan *plan = container->plan;
	static struct message message;
	int at = workdir_enter(plan, err);
	struct pass pass = {.data = message.text, .fd = {user, mnt}, .count = 2};

	if (at < 0)
		return -1;
	add(&message, SESSION_OFFER, "", 0);
	if (plan->keep_capabilities)
		add(&message, SESSION_CAPABLE, "", 0);
	if (composer_wires_up(container->composer))
		add(&message, SESSION_WIREUP, "", 0);
	add_processes(&message, container->request);
	add_env(&message, plan->env);
	add(&message, SESSION_CWD, plan->cwd[at], strlen(plan->cwd[at]));
	add_all(&message, SESSION_SAID, said.line);
	add_all(&message, SESSION_ARG, plan->argv);
	pass.size = message.size;
	if (message.full)
		return err_set(err,
			       "the environment of the container is too large (%d KiB at most)",
			       SESSION_MESSAGE_MAX >> 10);
	return pass_send(control, &pass, 0) < 0 ? err_sys(err, "cannot offer the container") : 0;
}

int offer_refuse(int control, const struct err *err)
{
	struct message message = {.size = 0};
	int status = err->status ? err->status : EXIT_FIRN_FAILED;
	struct pass pass = {.data = message.text};

	/* The second byte is the status instead of the first record's end. */
	add(&message, SESSION_ERROR, "", 0);
	message.text[message.size - 1] = (char)status;
	add(&message, err->text[0] ? err->text[0] : '?', err->text + 1, strlen(err->text + 1));
	pass.size = message.size;
	if (control < 0 || pass_send(control, &pass, 0) < 0)
		log_error("%s", err->text);
	return status;
}

void offer_listen(void)
{
	log_set_writer(keep_line, NULL);
}
