/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * server.h - the mount server: one squashfs image shown through FUSE.
 *
 * All of the server that others know. It is the worker of a supervisor
 * (runner/session/supervisor.h): a process in a cage (lib/cage/cage.h) that holds the image, the
 * FUSE device, a pipe for its words and memory shared with the supervisor, and that
 * can do nothing but answer. It ends by itself when the last process of the
 * container is gone, because the kernel then drops the mount and reading the device
 * gives ENODEV.
 *
 * It speaks the kernel protocol itself (linux/fuse.h, 7.31 and newer; see the
 * kernel's Documentation/filesystems/fuse/). Node ids are inode references of
 * the image (see node.h), so any server process started with the same image and
 * the same shows can answer any request: nothing is remembered between requests,
 * and what one has read and not answered stands in the shared table.
 */
#ifndef FIRN_RUNNER_SERVER_SERVER_H
#define FIRN_RUNNER_SERVER_SERVER_H

#include "runner/server/setup.h"

/*
 * Be the worker: enter the cage, read the image, serve until the mount is gone.
 * Called in a process of its own, single threaded, with no descriptor but those
 * named above. Returns the exit status: 0 when the mount went away or never came,
 * SERVER_CANNOT_BEGIN when the image cannot be served, and the report says why.
 */
enum { SERVER_CANNOT_BEGIN = 3 };
int server_main(const struct server_options *options);

/*
 * The two sides of options.attach: send the mounted @device (the caller then closes it),
 * and wait for it, which gives -1 when the launcher ended instead.
 */
int server_attach(int socket, int device, struct err *err);
int server_await(int socket);

#endif
