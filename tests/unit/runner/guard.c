/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/guard.h"

#include "lib/log.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;
static bool broken; /* no directory can be read */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *__wrap_readdir(DIR *dir)
{
	if (!broken)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void directories_are_closed(void)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY), place = open("/etc", O_PATH);
	int file = open("/etc/passwd", O_RDONLY), saved = dup(STDIN_FILENO),
	    first = open("/", O_RDONLY);
	int ends[2];

	ok(pipe(ends) == 0 && dup2(first, STDIN_FILENO) == 0, "a directory as standard input");
	ok(guard_descriptors(&err) == 0, "descriptors are looked at");
	ok(!is_open(dir) && !is_open(place) && !is_open(first),
	   "directories and places are closed");
	ok(is_open(file) && is_open(ends[0]) && is_open(ends[1]), "files and pipes stay");
	ok(is_open(STDIN_FILENO) && openat(STDIN_FILENO, "etc", O_PATH) < 0,
	   "the stream is no directory now");
	(void)dup2(saved, STDIN_FILENO);
}

static void what_cannot_be_listed_is_an_error(void)
{
	int result;

	broken = true;
	result = guard_descriptors(&err);
	broken = false;
	ok(result == -1 && err.code == EIO, "descriptors that cannot be listed are an error");
}

static bool refused(int fd, unsigned long command, const void *arg)
{
	errno = 0;
	return syscall(SYS_ioctl, fd, command, arg) < 0 && errno == EPERM;
}

#ifdef __x86_64__
/* ioctl(2) by the gate of 32-bit programs, which not every kernel has. Its argument is NULL. */
static bool refused_i386(int fd, unsigned command)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		long result;

		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "a"(54), "b"(fd), "c"(command), "d"(0)
				 : "memory", "r8", "r9", "r10", "r11");
		_exit(result == -EPERM ? 0 : 1);
	}
	(void)waitpid(child, &status, 0);
	return WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
}
#endif

static void nothing_types_into_the_terminal(void)
{
	int outside, inside;
	struct winsize size = {.ws_row = 7};
	pid_t group = 1;

	ok(openpty(&outside, &inside, NULL, NULL, NULL) == 0, "a terminal");
	ok(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && guard_terminal(&err) == 0,
	   "it is guarded");
	ok(refused(inside, TIOCSTI, "x"), "TIOCSTI is refused");
	ok(refused(inside, TIOCLINUX, "\3"), "TIOCLINUX is refused");
	ok(refused(inside, TIOCSTI | 0xabcd00000000ul, "x"),
	   "... whatever stands above its 32 bits");
#ifdef __x86_64__
	errno = 0;
	ok(syscall(0x40000000 | 514, inside, TIOCSTI, "x") < 0 && errno == EPERM,
	   "... by x32's number");
	ok(refused_i386(inside, TIOCSTI), "... by the gate of i386");
#endif
	ok(ioctl(inside, TIOCSWINSZ, &size) == 0 && ioctl(inside, TIOCGWINSZ, &size) == 0 &&
		   size.ws_row == 7,
	   "the rest works");
	errno = 0;
	ok(ioctl(inside, TIOCGPGRP, &group) == 0 || errno != EPERM, "job control, too");
	ok(guard_terminal(&err) == 0, "a second time as well: a container in a container");
}

int main(void)
{
	log_set_level(LOG_QUIET);
	directories_are_closed();
	what_cannot_be_listed_is_an_error();
	nothing_types_into_the_terminal();
	return done_testing();
}
