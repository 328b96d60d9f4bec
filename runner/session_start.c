/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session_start.h"

#include "lib/log.h"
#include "lib/pass.h"
#include "runner/container.h"
#include "runner/detach.h"
#include "runner/session_message.h"

#include <fcntl.h>
#include <poll.h>
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

static int send_offer(int control, const struct container *container, int user, int mnt,
		      struct err *err)
{
	const struct plan *plan = container->plan;
	static struct message message;
	struct pass pass = {.data = message.text, .fd = {user, mnt}, .count = 2};

	add(&message, SESSION_OFFER, "", 0);
	if (plan->keep_capabilities)
		add(&message, SESSION_CAPABLE, "", 0);
	if (composer_wires_up(container->composer))
		add(&message, SESSION_WIREUP, "", 0);
	add_env(&message, plan->env);
	add_all(&message, SESSION_CWD, plan->cwd);
	add_all(&message, SESSION_ARG, plan->argv);
	pass.size = message.size;
	if (message.full)
		return err_set(err, "the environment of the container is too large (%d KiB at most)",
			       SESSION_MESSAGE_MAX >> 10);
	return pass_send(control, &pass, 0) < 0 ? err_sys(err, "cannot offer the container") : 0;
}

static int send_error(int control, const struct err *err)
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

struct holder {
	const char *name;
	int control;
};

/* A member of its own, for as long as the other end of the control socket is open. */
static int hold(void *arg)
{
	const struct holder *holder = arg;
	struct pollfd end = {.fd = holder->control};
	struct session session;

	session_meet(holder->name, &session);
	if (session.role != SESSION_MEMBER)
		return 1;
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		continue;
	return 0;
}

static int start_holder(const struct container *container, int control, struct err *err)
{
	struct holder holder = {container->name, control};
	struct detach process = {
		.aim = "hold the container",
		.name = "firn-holder",
		.main = hold,
		.arg = &holder,
		.keep = {control},
		.keep_count = 1,
	};

	return detach_start(&process, err);
}

static int offer(struct container *container, int control, pid_t other, struct err *err)
{
	struct container_use use = {.always = true, .other = other, .topology = true, .hold = -1};

	if (container_meet(container, &use, err) < 0)
		return -1;
	if (container->session.role == SESSION_MEMBER) {
		if (container_compose(container, err) < 0 || start_holder(container, control, err) < 0)
			return -1;
		return send_offer(control, container, container->session.user,
				  container->session.mnt, err);
	}
	if (container->session.role != SESSION_FIRST)
		return err_set(err, "cannot share a container on this machine (see -v)");
	use.hold = fcntl(control, F_DUPFD_CLOEXEC, 0);
	if (use.hold < 0 || container_build(container, &use, err) < 0)
		return -1;
	return send_offer(control, container, container->launched.user,
			  container->launched.mnt, err);
}

int session_start_main(int argc, char **argv)
{
	auto_request *request = NULL;
	auto_container container = CONTAINER_NONE;
	struct err err;

	if (request_read(REQUEST_SESSION, argc, argv, &request, &err) < 0)
		return send_error(-1, &err);
	log_set_level(request->level);
	if (request->help) {
		request_help(REQUEST_SESSION, stdout);
		return EXIT_SUCCESS;
	}
	if (fcntl(request->control, F_SETFD, FD_CLOEXEC) < 0) {
		(void)err_sys(&err, "cannot use --control-fd %d", request->control);
		return send_error(-1, &err);
	}
	if (container_plan(request, &container, &err) < 0 ||
	    offer(&container, request->control, request->hold_pid, &err) < 0)
		return send_error(request->control, &err);
	return EXIT_SUCCESS;
}
