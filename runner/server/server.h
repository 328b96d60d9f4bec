/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * server.h - the mount server: one squashfs image shown through FUSE.
 *
 * The server is a process of its own outside the container's mount and user
 * namespaces. It holds the image, the FUSE device and nothing else (but for a
 * session's keeper, which is a thread of it; runner/keeper.h); it ends by
 * itself when the last process of the container is gone, because the kernel
 * then drops the mount and reading the device gives ENODEV.
 *
 * It speaks the kernel protocol itself (linux/fuse.h, 7.31 and newer; see the
 * kernel's Documentation/filesystems/fuse/). Node ids are inode references of
 * the image (see node.h), so any server process started with the same image and
 * the same shows can answer any request: nothing is remembered between requests.
 */
#ifndef FIRN_SERVER_H
#define FIRN_SERVER_H

#include "lib/err.h"
#include "lib/squashfs.h"
#include "runner/keeper.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What is shown beside the image's own tree, so that mounts find their targets
 * without an overlay. Paths are absolute inside the image; symlinks of the image
 * on the way (and a final one) are followed inside it. What the image has
 * already is left alone, but for files with content and links, which take the
 * place of the image's name, be it a file's or a symlink's.
 */
enum show_kind {
	SHOW_DIR,    /* an empty directory, with the directories above it, if missing */
	SHOW_EMPTY,  /* an empty file likewise, if missing */
	SHOW_FILE,   /* a read-only file with @content instead of the image's, if any */
	SHOW_PREFIX, /* @content followed by the image's own file, if any (passwd, group) */
	SHOW_LINK,   /* a symlink to @content instead of the image's file */
};

enum show_flags {
	SHOW_LENIENT = 1 << 0,  /* where there is no place for it, it is left out */
	SHOW_STRAIGHT = 1 << 1, /* nor where its path leads through a symlink of the image */
};

struct show {
	enum show_kind kind;
	const char *path;
	const void *content; /* borrowed until server_run() returns */
	size_t size;
	unsigned flags;
};

/* Shared with the launcher (MAP_SHARED memory): why the server gave up, before it could tell anyone. */
struct server_report {
	atomic_int state; /* 0 nothing, 1 text is complete */
	char text[ERR_TEXT_SIZE];
};

struct server_options {
	struct squashfs *image;  /* borrowed; opened by the caller, before the fork, so its cache is warm */
	int image_fd;            /* the file it is in */
	const char *image_name;  /* for messages */
	const struct show *shows;
	size_t show_count;
	uid_t uid;               /* every inode is shown with this owner ... */
	gid_t gid;               /* ... and group: ids as the container sees them */
	const cpu_set_t *cpus;   /* where the server runs; NULL: where its caller does */
	int threads;             /* 0: as many as there are CPUs in the affinity mask, at most 8 */
	pid_t program;           /* whose standard error gets a line when the image proves damaged; 0: nobody's */
	struct server_report *report; /* may be NULL */
	bool log;                /* keep standard error open and say debug lines there */
	/* Another engine instead of server_run(): executes it for @device; returns an exit status if it cannot. */
	int (*engine)(const struct server_options *options, int device);
	const void *engine_arg;
	const struct keeper *keeper; /* to run beside, in a thread; NULL: none. Not with another engine */
};

/*
 * Get ready to serve: find the places of the shows. @launcher is a socket whose
 * other end closes when the launcher becomes the program, or -1 if that is over.
 * Returns NULL on failure, which is then in the report. Called in the server
 * process, single threaded; what it makes lives as long as the process.
 */
struct crew;
struct crew *server_prepare(const struct server_options *options, int launcher);

/*
 * Serve until the mount is gone. @device is an open /dev/fuse that mount(2) or
 * fsmount(2) has been given. Starts the other threads when there is work for
 * them. Returns the process' exit status: 0 when the mount went away, else 1.
 */
int server_run(struct crew *crew, int device);

/*
 * start.c: a server in the background: make the process that will call
 * server_run() (runner/detach.h), with no descriptor but @options' image and its
 * end of a socket. Returns the socket on which the launcher sends the mounted
 * device with server_attach(), or -1. Called before unshare(2).
 */
int server_start(const struct server_options *options, struct err *err);

/* Hand over the mounted @device; the caller then closes it, so that a dead server means ENOTCONN at once. */
int server_attach(int socket, int device, struct err *err);

#endif
