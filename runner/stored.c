/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/stored.h"

#include "lib/log.h"
#include "runner/ask/image_name.h"
#include "runner/delegate.h"
#include "runner/session/key.h"

#include <limits.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* The answer of one asker, for those who ask the same. Seconds; keys a user may have of ours. */
enum { ANSWER_SECONDS = 60, SLOTS = 8, TRIES_MAX = 100 };

/* What is in a key: for whom it is, and the path. */
struct stored_answer {
	char name[SESSION_NAME_SIZE];
	char path[PATH_MAX];
};

static void slot_of(const char *name, char out[32])
{
	/* The last digit of a hash: few keys, as a user's are counted. */
	(void)snprintf(out, 32, "firn:image:%d", name[strlen(name) - 1] % SLOTS);
}

/* A key is read by who possesses it: whose keyrings lead to it. */
static bool can_keep(void)
{
	return syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING) ==
	       0;
}

static bool find_answer(const char *name, char path[PATH_MAX])
{
	struct stored_answer answer;
	char slot[32];
	long key, size;

	slot_of(name, slot);
	key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", slot, 0);
	size = key < 0 ? -1 : syscall(SYS_keyctl, KEYCTL_READ, key, &answer, sizeof(answer));
	if (size <= (long)offsetof(struct stored_answer, path) || size > (long)sizeof(answer) ||
	    strncmp(answer.name, name, sizeof(answer.name)) != 0 ||
	    ((char *)&answer)[size - 1] != '\0' || access(answer.path, R_OK) < 0)
		return false;
	(void)snprintf(path, PATH_MAX, "%s", answer.path);
	return true;
}

static void keep_answer(const char *name, const char *path)
{
	struct stored_answer answer = {.name = ""};
	char slot[32];
	long key;

	slot_of(name, slot);
	(void)snprintf(answer.name, sizeof(answer.name), "%s", name);
	(void)snprintf(answer.path, sizeof(answer.path), "%s", path);
	key = syscall(SYS_add_key, "user", slot, &answer,
		      offsetof(struct stored_answer, path) + strlen(answer.path) + 1,
		      KEY_SPEC_USER_KEYRING);
	if (key >= 0)
		(void)syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, ANSWER_SECONDS);
}

static socklen_t address_of(const char *name, struct sockaddr_un *out)
{
	int len;

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(out->sun_path + 1, sizeof(out->sun_path) - 1, "%s.image", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static bool is_mine(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

/*
 * Be the one who asks: a listening socket, which goes away with its holder however he ends. Or wait
 * until that has happened to another's. Returns the socket, -1 after a wait, -2 where nobody can.
 */
static int take_turn(const char *name)
{
	struct sockaddr_un address;
	socklen_t size = address_of(name, &address);
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char none;

	if (fd < 0 || other < 0)
		return -2;
	if (bind(fd, (struct sockaddr *)&address, size) == 0)
		return listen(fd, SOMAXCONN) == 0 ? take_fd(&fd) : -2;
	if (errno != EADDRINUSE)
		return -2;
	if (connect(other, (struct sockaddr *)&address, size) < 0)
		return errno == ECONNREFUSED || errno == EAGAIN ? -1 : -2;
	if (!is_mine(other))
		return -2;
	while (read(other, &none, 1) < 0 && errno == EINTR)
		;
	return -1;
}

static int ask(const struct request *request, char path[PATH_MAX], struct err *err)
{
	char *argv[8], *words[] = {(char *)"get", (char *)"-q",	      (char *)"-v",
				   (char *)"-vv", (char *)"--config", (char *)"--"};
	size_t count = 0;

	if (request->level != LOG_NORMAL)
		argv[count++] = words[request->level == LOG_QUIET     ? 1
				      : request->level == LOG_VERBOSE ? 2
								      : 3];
	if (request->config) {
		argv[count++] = words[4];
		argv[count++] = (char *)request->config;
	}
	argv[count++] = words[5];
	argv[count++] = words[0];
	argv[count++] = (char *)request->image;
	argv[count] = NULL;
	return delegate_read("images", (int)count, argv, path, PATH_MAX, err);
}

/* What one answer is for: the word, and what firn-build goes by in reading it. */
static int name_question(const struct request *request, const char *launcher,
			 char out[SESSION_NAME_SIZE], struct err *err)
{
	const char *part[] = {request->image, request->config,	       getenv("FIRN_STORE"),
			      getenv("HOME"), getenv("XDG_DATA_HOME"), launcher};
	auto_free char *text = NULL;

	if (asprintf(&text, "%s\n%s\n%s\n%s\n%s\n%s", part[0], part[1] ? part[1] : "",
		     part[2] ? part[2] : "", part[3] ? part[3] : "", part[4] ? part[4] : "",
		     part[5]) < 0)
		return err_sys(err, "cannot look for '%s'", request->image);
	return session_name_named("image", text, out, err);
}

static int ask_among(const struct request *request, const char *launcher, char path[PATH_MAX],
		     struct err *err)
{
	char name[SESSION_NAME_SIZE];

	if (!can_keep())
		return ask(request, path, err);
	if (name_question(request, launcher, name, err) < 0)
		return -1;
	for (int i = 0; i < TRIES_MAX; i++) {
		auto_fd turn = -1;
		int result;

		if (find_answer(name, path))
			return 0;
		turn = take_turn(name);
		if (turn == -1)
			continue;
		/* Who had it before may have answered since we looked. */
		if (turn >= 0 && find_answer(name, path))
			return 0;
		result = ask(request, path, err);
		if (result == 0 && turn >= 0)
			keep_answer(name, path);
		if (turn < 0)
			turn = -1;
		return result;
	}
	return ask(request, path, err);
}

int stored_image(struct request *request, struct err *err)
{
	static char path[PATH_MAX];
	char launcher[SESSION_LAUNCHER_SIZE];
	int result;

	if (!request->image || !image_name_is(request->image))
		return 0;
	result = session_launcher(launcher) ? ask_among(request, launcher, path, err)
					    : ask(request, path, err);
	if (result != 0)
		return result;
	log_info("'%s' is '%s'", request->image, path);
	request->image = path;
	return 0;
}
