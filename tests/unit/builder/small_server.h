/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * small_server.h - two HTTP servers on free ports of this machine, for unit tests.
 *
 * Each connection is one request; what answers it is the test's function. All
 * requests are kept, one after the other, in small_server_log().
 */
#ifndef FIRN_TESTS_UNIT_BUILDER_SMALL_SERVER_H
#define FIRN_TESTS_UNIT_BUILDER_SMALL_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The whole answer to @request, headers and body, which came to server @number (0 or 1): to be
 * freed. What stands behind a form feed comes byte by byte, one every 20 ms, and then nothing more,
 * not even the end. */
typedef char *small_server_answer(int number, const char *request);

static struct {
	small_server_answer *answer;
	int fd[2], port[2];
	pthread_mutex_t lock;
	char log[256 << 10];
	size_t used;
} small_server = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Headers, and as much of a body as Content-Length says. */
static bool small_server_read(int fd, char *request, size_t size)
{
	size_t used = 0, wanted = 0;

	while (used + 1 < size) {
		ssize_t n = recv(fd, request + used, size - 1 - used, 0);
		const char *body, *length;

		if (n <= 0)
			return false;
		used += (size_t)n;
		request[used] = 0;
		if (request[0] == 0x16) /* TLS, which is not spoken here */
			return false;
		body = strstr(request, "\r\n\r\n");
		length = strstr(request, "Content-Length: ");
		if (!body)
			continue;
		wanted = (size_t)(body + 4 - request) +
			 (length ? strtoul(length + 16, NULL, 10) : 0);
		if (used >= wanted)
			return true;
	}
	return false;
}

static void small_server_send(int fd, const char *answer)
{
	const char *slow = strchr(answer, '\f');
	size_t fast = slow ? (size_t)(slow - answer) : strlen(answer);

	(void)!send(fd, answer, fast, MSG_NOSIGNAL);
	if (!slow) {
		(void)shutdown(fd, SHUT_WR);
		return;
	}
	while (*++slow && send(fd, slow, 1, MSG_NOSIGNAL) == 1)
		(void)usleep(20000);
}

/* One connection; a client may keep it while it asks for something else. */
static void *small_server_serve(void *arg)
{
	int number = (int)((ssize_t)arg & 1), fd = (int)((ssize_t)arg >> 1);
	static __thread char request[128 << 10];
	char *answer;

	if (small_server_read(fd, request, sizeof(request))) {
		(void)pthread_mutex_lock(&small_server.lock);
		if (small_server.used + strlen(request) + 20 < sizeof(small_server.log))
			small_server.used +=
				(size_t)snprintf(small_server.log + small_server.used,
						 sizeof(small_server.log) - small_server.used,
						 "server %d: %s\n", number, request);
		(void)pthread_mutex_unlock(&small_server.lock);
		answer = small_server.answer(number, request);
		small_server_send(fd, answer);
		free(answer);
		while (recv(fd, request, sizeof(request), 0) >
		       0) /* until the client has read it all */
			;
	}
	(void)close(fd);
	return NULL;
}

static void *small_server_run(void *arg)
{
	ssize_t number = (ssize_t)arg;
	pthread_t thread;
	int fd;

	while ((fd = accept(small_server.fd[number], NULL, NULL)) >= 0)
		if (pthread_create(&thread, NULL, small_server_serve,
				   (void *)((ssize_t)fd << 1 | number)) == 0)
			(void)pthread_detach(thread);
	return NULL;
}

static bool small_server_start(small_server_answer *answer)
{
	small_server.answer = answer;
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t size = sizeof(address);
		pthread_t thread;

		small_server.fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (small_server.fd[i] < 0 ||
		    bind(small_server.fd[i], (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    listen(small_server.fd[i], 10) < 0 ||
		    getsockname(small_server.fd[i], (struct sockaddr *)&address, &size) < 0)
			return false;
		small_server.port[i] = ntohs(address.sin_port);
		if (pthread_create(&thread, NULL, small_server_run, (void *)(ssize_t)i) != 0)
			return false;
		(void)pthread_detach(thread);
	}
	return true;
}

/* The requests since the last call. */
static inline const char *small_server_log(void)
{
	static char log[sizeof(small_server.log)];

	(void)pthread_mutex_lock(&small_server.lock);
	memcpy(log, small_server.log, sizeof(log));
	small_server.used = 0;
	small_server.log[0] = 0;
	(void)pthread_mutex_unlock(&small_server.lock);
	return log;
}

/* printf into a new string. */
__attribute__((format(printf, 1, 2))) static inline char *small_server_say(const char *format, ...)
{
	__builtin_va_list args;
	char *text = NULL;

	__builtin_va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	__builtin_va_end(args);
	return text;
}

#endif
