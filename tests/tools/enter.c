/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * enter TASKS FIRN session-start OPTION... IMAGE -- COMMAND...: what a batch
 * system's daemon does with runner/session/session.h: get a container, then enter it in
 * TASKS processes, each of which runs COMMAND with its number in TASK. With
 * "env" as COMMAND's first word, print what the offer says instead.
 */
#include "runner/session/session.h"

#include "mpi-glue/wireup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int pair[2];

static pid_t start(char **argv)
{
	pid_t child = fork();

	if (child == 0) {
		char number[32];
		char *words[64] = {argv[0], argv[1], number};

		(void)close(pair[0]);
		(void)fcntl(pair[1], F_SETFD, 0);
		(void)snprintf(number, sizeof(number), "--control-fd=%d", pair[1]);
		for (int i = 2; argv[i] && i < 60; i++)
			words[i + 1] = argv[i];
		(void)execv(words[0], words);
		_exit(127);
	}
	return child;
}

static void print(const char *name, char *const *vector)
{
	for (; vector && *vector; vector++)
		printf("%s %s\n", name, *vector);
}

static const char *get(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static int set(void *arg, const char *name, const char *value)
{
	(void)arg;
	return setenv(name, value, 1);
}

static int run(const struct session_offer *offer, int number, char **command)
{
	char text[16];
	struct err err;

	if (session_enter(offer, &err) < 0) {
		(void)fprintf(stderr, "enter: %s\n", err.text);
		return 1;
	}
	for (char *const *item = offer->unset; item && *item; item++)
		(void)unsetenv(*item);
	for (char *const *item = offer->set; item && *item; item++)
		(void)putenv(*item);
	if (offer->wireup && wireup_task(&(struct wireup_env){get, set, NULL}) < 0)
		return 1;
	(void)snprintf(text, sizeof(text), "%d", number);
	(void)setenv("TASK", text, 1);
	(void)execvp(command[0], command);
	return 127;
}

int main(int argc, char **argv)
{
	struct session_offer offer;
	struct err err;
	char **command = argv + 2;
	int worst = 0;
	int status;
	int tasks;

	while (*command && strcmp(*command, "--") != 0)
		command++;
	if (argc < 5 || !*command ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return 2;
	*command++ = NULL;
	(void)start(argv + 2);
	(void)close(pair[1]);
	if (session_receive(pair[0], 10000, &offer, &err) != 1) {
		(void)fprintf(stderr, "enter: %d %s\n", err.status, err.text);
		return 1;
	}
	if (strcmp(command[0], "env") == 0) {
		print("unset", offer.unset);
		print("set", offer.set);
		print("cwd", offer.cwd);
		print("arg", offer.argv);
		print("said", offer.said);
		return 0;
	}
	tasks = atoi(argv[1]);
	for (int i = 0; i < tasks; i++)
		if (fork() == 0)
			_exit(run(&offer, i, command));
	while (wait(&status) > 0 || errno == EINTR)
		if (WIFEXITED(status) && WEXITSTATUS(status) > worst)
			worst = WEXITSTATUS(status);
	session_offer_clear(&offer);
	return worst;
}
