/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * join PID COMMAND [ARG...]: enter the user and mount namespace of a process and
 * execute: the smallest program that does what a rank must do to share a container.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static int open_namespace(const char *pid, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(125, "cannot open '%s'", path);
	return fd;
}

int main(int argc, char **argv)
{
	int user, mnt;

	if (argc < 3)
		errx(125, "usage: join PID COMMAND [ARG...]");
	user = open_namespace(argv[1], "user");
	mnt = open_namespace(argv[1], "mnt");
	if (setns(user, CLONE_NEWUSER) < 0 || setns(mnt, CLONE_NEWNS) < 0)
		err(125, "cannot enter the namespaces of %s", argv[1]);
	execv(argv[2], argv + 2);
	err(126, "cannot execute '%s'", argv[2]);
}
