/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session.h"

#include "lib/pass.h"
#include "runner/ns.h"
#include "runner/session_message.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

static int add(char ***vector, const char *text)
{
	size_t count = 0;
	char **grown;

	while (*vector && (*vector)[count])
		count++;
	grown = reallocarray(*vector, count + 2, sizeof(*grown));
	if (!grown)
		return -1;
	*vector = grown;
	grown[count + 1] = NULL;
	grown[count] = strdup(text);
	return grown[count] ? 0 : -1;
}

static int add_process(const char *text, struct session_offer *offer)
{
	char *end;
	long number = strtol(text, &end, 10);

	for (size_t i = 0; i < SESSION_PROCESSES_MAX; i++)
		if (offer->process[i] == 0) {
			offer->process[i] = (pid_t)number;
			return *end == '\0' && number > 0 && number <= INT_MAX ? 0 : -1;
		}
	return -1;
}

/* Each record is a letter and a text with its NUL. */
static int take_records(const char *text, const char *end, struct session_offer *offer)
{
	for (; text < end; text += strlen(text) + 1) {
		int result = 0;

		switch (*text) {
		case SESSION_UNSET:
			result = add(&offer->unset, text + 1);
			break;
		case SESSION_SET:
			result = strchr(text, '=') ? add(&offer->set, text + 1) : -1;
			break;
		case SESSION_CWD:
			result = add(&offer->cwd, text + 1);
			break;
		case SESSION_ARG:
			result = add(&offer->argv, text + 1);
			break;
		case SESSION_PROCESS:
			result = add_process(text + 1, offer);
			break;
		case SESSION_CAPABLE:
			offer->keep_capabilities = true;
			break;
		case SESSION_WIREUP:
			offer->wireup = true;
			break;
		default:
			result = -1;
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

static int take_message(const char *text, size_t size, struct pass *message,
			struct session_offer *offer, struct err *err)
{
	/* Every string in it ends within it. */
	if (size < 3 || text[size - 1] != '\0')
		return err_set(err, "firn session-start said something that is not understood");
	if (text[0] == SESSION_ERROR) {
		(void)err_set(err, "%s", text + 2);
		err->status = (unsigned char)text[1];
		return -1;
	}
	if (text[0] != SESSION_OFFER || message->count != 2 ||
	    take_records(text + 2, text + size, offer) < 0)
		return err_set(err, "firn session-start said something that is not understood");
	offer->user = message->fd[0];
	offer->mnt = message->fd[1];
	message->count = 0;
	return 1;
}

int session_receive(int control, int timeout_ms, struct session_offer *out, struct err *err)
{
	struct pollfd ready = {.fd = control, .events = POLLIN};
	struct session_offer offer = {.user = -1, .mnt = -1};
	auto_free char *text = malloc(SESSION_MESSAGE_MAX);
	struct pass message;
	ssize_t got;
	int result;

	if (!text)
		return err_sys(err, "cannot hear of the container");
	result = poll(&ready, 1, timeout_ms);
	if (result < 0 && errno != EINTR)
		return err_sys(err, "cannot hear of the container");
	if (result <= 0)
		return 0;
	got = pass_receive(control, text, SESSION_MESSAGE_MAX, &message, 0);
	if (got < 0)
		return err_sys(err, "cannot hear of the container");
	if (got == 0)
		return err_set(err, "firn session-start ended without a word");
	result = take_message(text, (size_t)got, &message, &offer, err);
	while (message.count > 0)
		(void)close(message.fd[--message.count]);
	if (result < 0)
		session_offer_clear(&offer);
	else
		*out = offer;
	return result;
}

static void clear_vector(char **vector)
{
	for (char **item = vector; item && *item; item++)
		free(*item);
	free(vector);
}

void session_offer_clear(struct session_offer *offer)
{
	clear_vector(offer->unset);
	clear_vector(offer->set);
	clear_vector(offer->cwd);
	clear_vector(offer->argv);
	own_close(&offer->user);
	own_close(&offer->mnt);
	*offer = (struct session_offer){.user = -1, .mnt = -1};
}

static int enter_cwd(char *const *cwd, struct err *err)
{
	for (; cwd && *cwd; cwd++) {
		if (chdir(*cwd) == 0)
			return 0;
		if (!cwd[1])
			return err_sys(err, "cannot enter working directory '%s'", *cwd);
	}
	return 0;
}

int session_enter(const struct session_offer *offer, struct err *err)
{
	/* The owner of a user namespace is all-powerful in it, from its parent: enough for the second. */
	if (setns(offer->user, CLONE_NEWUSER) < 0 || setns(offer->mnt, CLONE_NEWNS) < 0)
		return err_sys(err, "cannot enter the container");
	if (!offer->keep_capabilities && ns_drop_capabilities(err) < 0)
		return -1;
	return enter_cwd(offer->cwd, err);
}
