/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/session.h"

#include "lib/pass.h"
#include "lib/wait.h"
#include "lib/words.h"
#include "runner/mount/ns.h"
#include "runner/session/message.h"

#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const char not_understood[] = "firn session-start said something that is not understood";

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

struct lists {
	struct words unset, set, cwd, said, argv;
};

/* Each record is a letter and a text with its NUL. */
static int take_records(const char *text, const char *end, struct lists *to,
			struct session_offer *offer)
{
	for (; text < end; text += strlen(text) + 1) {
		int result = 0;

		switch (*text) {
		case SESSION_UNSET:
			result = words_add(&to->unset, text + 1);
			break;
		case SESSION_SET:
			result = strchr(text, '=') ? words_add(&to->set, text + 1) : -1;
			break;
		case SESSION_CWD:
			result = words_add(&to->cwd, text + 1);
			break;
		case SESSION_SAID:
			result = to->said.count < SESSION_SAID_MAX ? words_add(&to->said, text + 1)
								   : -1;
			break;
		case SESSION_ARG:
			result = words_add(&to->argv, text + 1);
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

/* The lists are the offer's in any case. */
static int take_offer(const char *text, const char *end, struct session_offer *offer)
{
	struct lists to = {0};
	int result = take_records(text, end, &to, offer);

	offer->unset = to.unset.item;
	offer->set = to.set.item;
	offer->cwd = to.cwd.item;
	offer->said = to.said.item;
	offer->argv = to.argv.item;
	return result;
}

/*
 * By the name that /proc has for it: "user:[4026531837]". A file's begins with "/". Whatever else
 * is asked about a file, ioctl(2) and stat(2) too, may be for a file system in the sender's hands
 * to answer (FUSE), whenever it likes.
 */
static bool is_namespace(int fd, const char *kind, int type)
{
	char link[32], name[64];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, name, sizeof(name) - 1);
	if (len < 0)
		return false;
	name[len] = '\0';
	return strncmp(name, kind, strlen(kind)) == 0 && ioctl(fd, NS_GET_NSTYPE) == type;
}

static bool brings_namespaces(const struct pass *message)
{
	return message->count == 2 && is_namespace(message->fd[0], "user:[", CLONE_NEWUSER) &&
	       is_namespace(message->fd[1], "mnt:[", CLONE_NEWNS);
}

static int take_message(const char *text, size_t size, struct pass *message,
			struct session_offer *offer, struct err *err)
{
	/* Every string in it ends within it. */
	if (size < 3 || text[size - 1] != '\0')
		return err_set(err, "%s", not_understood);
	if (text[0] == SESSION_ERROR) {
		(void)err_set(err, "%s", text + 2);
		err->status = (unsigned char)text[1];
		return -1;
	}
	if (text[0] != SESSION_OFFER || !brings_namespaces(message) ||
	    take_offer(text + 2, text + size, offer) < 0)
		return err_set(err, "%s", not_understood);
	offer->user = message->fd[0];
	offer->mnt = message->fd[1];
	message->count = 0;
	return 1;
}

int session_receive(int control, int timeout_ms, struct session_offer *out, struct err *err)
{
	struct session_offer offer = {.user = -1, .mnt = -1};
	auto_free char *text = malloc(SESSION_MESSAGE_MAX);
	struct pass message;
	ssize_t got;
	int result;

	if (!text)
		return err_sys(err, "cannot hear of the container");
	result = wait_readable(control, timeout_ms);
	if (result == 0)
		return 0;
	got = result < 0 ? -1
			 : pass_receive(control, text, SESSION_MESSAGE_MAX, &message, MSG_DONTWAIT);
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

int session_refuse(int control, const struct err *err)
{
	char text[2 + ERR_TEXT_SIZE] = {SESSION_ERROR};
	struct pass pass = {.data = text};
	size_t len = strnlen(err->text, sizeof(err->text) - 1);

	text[1] = (char)(err->status ? err->status : EXIT_FIRN_FAILED);
	memcpy(text + 2, err->text, len);
	pass.size = len + 3;
	return pass_send(control, &pass, 0);
}

/* That nothing else is there, and nothing comes. To peek takes nothing out. */
static bool was_last(int control)
{
	char byte;

	return shutdown(control, SHUT_RD) == 0 &&
	       recv(control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

int session_forward(int control, int to, char *room)
{
	struct pass message;
	ssize_t got = pass_receive(control, room, SESSION_MESSAGE_MAX, &message, 0);
	struct err err = {0};

	if (got == 0)
		return -1;
	if (got > 0 && room[0] == SESSION_ERROR && message.count == 0) {
		struct pass pass = {.data = room, .size = (size_t)got};

		return pass_send(to, &pass, 0);
	}
	if (got > 0 && was_last(control) && brings_namespaces(&message)) {
		message.data = room;
		message.named = false;
		return pass_send(to, &message, 0);
	}
	(void)err_set(&err, "%s", not_understood);
	return session_refuse(to, &err);
}

void session_offer_clear(struct session_offer *offer)
{
	words_free(offer->unset);
	words_free(offer->set);
	words_free(offer->cwd);
	words_free(offer->said);
	words_free(offer->argv);
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
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot refuse new privileges");
	/* The owner of a user namespace is all-powerful in it, from its parent: enough for the
	 * second. */
	if (setns(offer->user, CLONE_NEWUSER) < 0 || setns(offer->mnt, CLONE_NEWNS) < 0)
		return err_sys(err, "cannot enter the container");
	if (!offer->keep_capabilities && ns_drop_capabilities(err) < 0)
		return -1;
	return enter_cwd(offer->cwd, err);
}
