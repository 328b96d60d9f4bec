/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * work WHAT [ARG]: one static program that does one kind of work, natively or in
 * a container, and prints what it took:
 *
 *   walk DIR      lstat everything below DIR: microseconds of wall, of CPU, entries
 *   seq FILE      read a file: microseconds
 *   par DIR       read DIR/p0 to p7 by eight processes at once: microseconds
 *   open FILE     open and close: nanoseconds each
 *   readdir DIR   list a directory: nanoseconds each time
 *   getpid        nanoseconds each
 *   loop          integer arithmetic: nanoseconds in all
 *   pipe          ping-pong between two processes: nanoseconds a round
 *   tcp           the same over the loopback interface
 *   stamp         print the clock at once, then wait for the end of the standard input
 *
 * Loops are repeated and the best time is printed: it is the one that the rest
 * of the machine disturbed least.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT = 7 };

static char buffer[1 << 20];
static long entries;

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int visit(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
	(void)path;
	(void)stat;
	(void)flag;
	(void)ftw;
	entries++;
	return 0;
}

static void walk(const char *dir)
{
	double begin = now_ns();
	struct rusage usage;

	if (nftw(dir, visit, 64, FTW_PHYS | FTW_MOUNT) < 0)
		die(dir);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %.0f %ld\n", (now_ns() - begin) / 1e3,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
	       entries);
}

static void read_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	(void)close(fd);
}

static void sequential(const char *path)
{
	double begin = now_ns();

	read_file(path);
	printf("%.0f\n", (now_ns() - begin) / 1e3);
}

static void parallel(const char *dir)
{
	double begin = now_ns();

	for (int i = 0; i < 8; i++) {
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/p%d", dir, i);
		if (fork() == 0) {
			read_file(path);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("%.0f\n", (now_ns() - begin) / 1e3);
}

static void open_close(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	(void)close(fd);
}

static void list(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		die(path);
	while (readdir(dir))
		;
	(void)closedir(dir);
}

static void get_pid(const char *unused)
{
	(void)unused;
	(void)syscall(SYS_getpid);
}

static void arithmetic(const char *unused)
{
	volatile uint64_t result;
	uint64_t state = 88172645463325252ull;

	(void)unused;
	for (int i = 0; i < 20000000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
	}
	result = state;
	(void)result;
}

static int talk[2]; /* this side reads 0 and writes 1 */

static void ping(const char *unused)
{
	char byte = 0;

	(void)unused;
	if (write(talk[1], &byte, 1) != 1 || read(talk[0], &byte, 1) != 1)
		die("ping");
}

static void echo_on(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1)
		if (write(out, &byte, 1) != 1)
			break;
	_exit(0);
}

static void pipe_pair(void)
{
	int there[2], back[2];

	if (pipe(there) < 0 || pipe(back) < 0)
		die("pipe");
	if (fork() == 0) {
		(void)close(there[1]);
		echo_on(there[0], back[1]);
	}
	(void)close(there[0]);
	talk[0] = back[0];
	talk[1] = there[1];
}

static void tcp_pair(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int door = socket(AF_INET, SOCK_STREAM, 0);
	int one = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(door, (void *)&address, size) < 0 || listen(door, 1) < 0 ||
	    getsockname(door, (void *)&address, &size) < 0)
		die("tcp");
	if (fork() == 0) {
		int other = accept(door, NULL, NULL);

		(void)close(one); /* or the connection would outlive the client */
		echo_on(other, other);
	}
	if (connect(one, (void *)&address, size) < 0)
		die("connect");
	(void)close(door);
	talk[0] = talk[1] = one;
}

static void loop(void (*operation)(const char *), const char *arg, int times)
{
	double best = 1e18;

	for (int i = 0; i < REPEAT; i++) {
		double begin = now_ns(), took;

		for (int n = 0; n < times; n++)
			operation(arg);
		took = (now_ns() - begin) / times;
		best = took < best ? took : best;
	}
	printf("%.1f\n", best);
}

/* In one write, since many share a pipe. */
static void stamp(void)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%.0f\n", now_ns());

	if (write(STDOUT_FILENO, text, (size_t)len) != len || read(STDIN_FILENO, text, 1) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *arg = argc > 2 ? argv[2] : ".";

	if (strcmp(what, "stamp") == 0)
		stamp();
	else if (strcmp(what, "walk") == 0)
		walk(arg);
	else if (strcmp(what, "seq") == 0)
		sequential(arg);
	else if (strcmp(what, "par") == 0)
		parallel(arg);
	else if (strcmp(what, "open") == 0)
		loop(open_close, arg, 20000);
	else if (strcmp(what, "readdir") == 0)
		loop(list, arg, 500);
	else if (strcmp(what, "getpid") == 0)
		loop(get_pid, arg, 500000);
	else if (strcmp(what, "loop") == 0)
		loop(arithmetic, arg, 1);
	else if (strcmp(what, "pipe") == 0)
		pipe_pair(), loop(ping, arg, 5000);
	else if (strcmp(what, "tcp") == 0)
		tcp_pair(), loop(ping, arg, 5000);
	else
		return 2;
	return 0;
}
