/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * floor.c - the smallest launcher that still makes firn's default container.
 *
 *     floor [-s IMAGE] [-b SOURCE:TARGET]... ROOT COMMAND [ARG...]
 *
 * A user namespace, a mount namespace, nine binds, pivot_root, exec: no checks,
 * no configuration, no environment. What firn adds on top of this is firn's own
 * cost. With -s the root is IMAGE, mounted on the empty directory ROOT and
 * served by stock libsquashfuse in one thread (floor_serve.c).
 */
#include "tests/bench/floor.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_LAUNCHER = 125, BINDS_MAX = 32 };

struct bind {
	const char *source, *target;
};

static struct bind binds[BINDS_MAX] = {
	{"/dev", "/dev"},
	{"/proc", "/proc"},
	{"/sys", "/sys"},
	{"/tmp", "/tmp"},
	{"/home", "/home"},
	{"/etc/passwd", "/etc/passwd"},
	{"/etc/group", "/etc/group"},
	{"/etc/hostname", "/etc/hostname"},
	{"/etc/resolv.conf", "/etc/resolv.conf"},
};
static int bind_count = 9;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(EXIT_LAUNCHER, "cannot write '%s'", path);
	(void)close(fd);
}

static void enter_user_namespace(uid_t uid, gid_t gid)
{
	char map[64];

	if (unshare(CLONE_NEWUSER) < 0)
		err(EXIT_LAUNCHER, "cannot make a user namespace");
	write_file("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
}

/*
 * Start the server outside the mount namespace that is made next: it ends when
 * the last process inside has gone. It must not read before the device is
 * mounted (the kernel answers EPERM), so it waits for a byte. Returns where to
 * write that byte.
 */
static int start_server(const char *image, int device)
{
	int go[2];
	char byte;

	if (pipe2(go, O_CLOEXEC) < 0)
		err(EXIT_LAUNCHER, "cannot make a pipe");
	switch (fork()) {
	case -1:
		err(EXIT_LAUNCHER, "cannot fork");
	case 0:
		(void)close(go[1]);
		_exit(read(go[0], &byte, 1) == 1 ? floor_serve(image, device) : 1);
	}
	(void)close(go[0]);
	return go[1];
}

static void mount_image(const char *root, int device, int go, uid_t uid, gid_t gid)
{
	char options[128];

	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u",
		       device, uid, gid);
	if (mount("floor", root, "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0)
		err(EXIT_LAUNCHER, "cannot mount on '%s'", root);
	if (write(go, "", 1) != 1)
		err(EXIT_LAUNCHER, "the server has gone");
	(void)close(go);
	(void)close(device);
}

static void bind_all(const char *root)
{
	char target[PATH_MAX];

	for (int i = 0; i < bind_count; i++) {
		(void)snprintf(target, sizeof(target), "%s%s", root, binds[i].target);
		if (mount(binds[i].source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
			err(EXIT_LAUNCHER, "cannot bind '%s' on '%s'", binds[i].source, target);
	}
}

static void pivot(const char *root)
{
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		err(EXIT_LAUNCHER, "cannot make '%s' the root", root);
}

static void add_bind(char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || bind_count == BINDS_MAX)
		errx(EXIT_LAUNCHER, "cannot take bind '%s'", text);
	*colon = '\0';
	binds[bind_count++] = (struct bind){text, colon + 1};
}

int main(int argc, char **argv)
{
	const char *image = NULL, *root;
	uid_t uid = getuid();
	gid_t gid = getgid();
	int device = -1, go = -1, option;

	while ((option = getopt(argc, argv, "+s:b:")) != -1) {
		if (option == 's')
			image = optarg;
		else if (option == 'b')
			add_bind(optarg);
		else
			return EXIT_LAUNCHER;
	}
	if (argc - optind < 2)
		errx(EXIT_LAUNCHER,
		     "usage: floor [-s IMAGE] [-b SOURCE:TARGET]... ROOT COMMAND [ARG...]");
	root = argv[optind];

	enter_user_namespace(uid, gid);
	if (image) {
		/* Opened inside the user namespace: mount refuses a device from outside. */
		device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
		if (device < 0)
			err(EXIT_LAUNCHER, "cannot open '/dev/fuse'");
		go = start_server(image, device);
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		err(EXIT_LAUNCHER, "cannot make a mount namespace");
	if (image)
		mount_image(root, device, go, uid, gid);
	else if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0)
		err(EXIT_LAUNCHER, "cannot bind '%s'", root);
	bind_all(root);
	pivot(root);
	execv(argv[optind + 1], argv + optind + 1);
	err(EXIT_LAUNCHER + 1, "cannot execute '%s'", argv[optind + 1]);
}
