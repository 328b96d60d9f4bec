/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * probe WORD...: a static program for small images that tells what it sees.
 *
 *   (as "true")      succeed
 *   pid              print the process id
 *   exit N           end with status N
 *   kill N           end by signal N
 *   children         print "none" if wait(2) knows no child
 *   fds              print the open descriptors
 *   read N           copy descriptor N to standard output
 *   cat FILE         copy a file
 *   later FILE       print "ready", wait for a line, then copy a file
 *   args ARG...      print the arguments, one a line
 *   cwd              print the working directory
 *   env NAME         print a variable; status 1 if it is not set
 *   sti              type a letter into the terminal of standard input, print what the kernel says
 *   stop             stop, and succeed when continued
 *   wait             print "ready", then wait for a signal
 *   fork-and-wait    leave a child that waits, print its pid and end
 *   signals          print the ignored and blocked signals
 *   where            print the user and mount namespace and the device of the root
 *   stay             the same, then wait for the end of the standard input
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int copy(int fd)
{
	char buffer[65536];
	ssize_t got;

	if (fd < 0) {
		perror("probe");
		return 1;
	}
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, (size_t)got) != got)
			return 1;
	if (got < 0)
		perror("probe");
	return got < 0;
}

static int children(void)
{
	int status;

	puts(waitpid(-1, &status, WNOHANG | __WALL) < 0 && errno == ECHILD ? "none" : "some");
	return 0;
}

static int fds(void)
{
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	puts("");
	return 0;
}

static int signals(void)
{
	sigset_t blocked, pending;

	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	(void)sigpending(&pending);
	for (int number = 1; number < 65; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf("ignored %d\n", number);
		if (sigismember(&blocked, number) == 1)
			printf("blocked %d\n", number);
		if (sigismember(&pending, number) == 1)
			printf("pending %d\n", number);
	}
	return 0;
}

static int where(void)
{
	char user[64] = "", mnt[64] = "";
	struct stat root;

	if (readlink("/proc/self/ns/user", user, sizeof(user) - 1) < 0 ||
	    readlink("/proc/self/ns/mnt", mnt, sizeof(mnt) - 1) < 0 || stat("/", &root) < 0)
		return 1;
	printf("%s %s %lu\n", user, mnt, (unsigned long)root.st_dev);
	return fflush(stdout);
}

static int leave_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDIN_FILENO);
		(void)close(STDOUT_FILENO);
		(void)close(STDERR_FILENO);
		(void)pause();
		_exit(0);
	}
	printf("%d\n", (int)child);
	return child < 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "true";
	const char *arg = argc > 2 ? argv[2] : "";

	if (strcmp(word, "pid") == 0)
		return printf("%d\n", (int)getpid()) < 0;
	if (strcmp(word, "exit") == 0)
		return atoi(arg);
	if (strcmp(word, "kill") == 0)
		return raise(atoi(arg));
	if (strcmp(word, "children") == 0)
		return children();
	if (strcmp(word, "fds") == 0)
		return fds();
	if (strcmp(word, "read") == 0)
		return copy(atoi(arg));
	if (strcmp(word, "cat") == 0)
		return copy(open(arg, O_RDONLY));
	if (strcmp(word, "later") == 0) {
		puts("ready");
		(void)fflush(stdout);
		return getchar() == EOF || copy(open(arg, O_RDONLY));
	}
	if (strcmp(word, "signals") == 0)
		return signals();
	if (strcmp(word, "where") == 0)
		return where();
	if (strcmp(word, "stay") == 0)
		return where() || getchar() != EOF;
	if (strcmp(word, "fork-and-wait") == 0)
		return leave_child();
	if (strcmp(word, "sti") == 0)
		return puts(ioctl(0, TIOCSTI, "x") == 0 ? "typed" : strerror(errno)) < 0;
	if (strcmp(word, "stop") == 0)
		return raise(SIGSTOP);
	if (strcmp(word, "cwd") == 0) {
		char *cwd = getcwd(NULL, 0);

		return puts(cwd ? cwd : "(none)") < 0;
	}
	if (strcmp(word, "env") == 0)
		return getenv(arg) ? puts(getenv(arg)) < 0 : 1;
	if (strcmp(word, "args") == 0)
		for (int i = 2; i < argc; i++)
			puts(argv[i]);
	if (strcmp(word, "wait") == 0) {
		puts("ready");
		(void)fflush(stdout);
		(void)pause();
	}
	return 0;
}
