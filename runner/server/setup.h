/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * setup.h - what the mount server is told, and what it shares with those who started it.
 *
 * server.h includes it: others know the server by that one header. There are three sides: the
 * launcher, which starts all; the supervisor, which holds the device and starts workers; the
 * worker, which parses the image and may be anything once that has got the better of it. So what
 * a worker says or writes is never believed by the other two, only shown or counted.
 */
#ifndef FIRN_RUNNER_SERVER_SETUP_H
#define FIRN_RUNNER_SERVER_SETUP_H

#include "lib/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* What becomes of a show that has no place. Without any of these it is an error. */
enum show_flags {
	SHOW_LENIENT = 1 << 0,  /* where there is no place for it, it is left out */
	SHOW_STRAIGHT = 1 << 1, /* nor where its path leads through a symlink of the image */
};

/* One thing that is shown. All of it must stay as it is while a worker may run. */
struct show {
	enum show_kind kind;
	const char *path;
	const void *content; /* borrowed for good */
	size_t size;	     /* of @content, bytes */
	unsigned flags;
};

/* Sizes in bytes. One slot a thread; requests that get EIO are remembered, the newest of them. */
enum {
	SERVER_THREADS_MAX = 8,
	SERVER_REQUEST_SIZE = 16384, /* above FUSE_MIN_READ_BUFFER and any request of a reader */
	SERVER_REFUSED_MAX = 16,
};

/*
 * Why the server gave up, before it could tell anyone: for the launcher, which says it instead of
 * the EIO that it meets. Written once: @text first, then @state.
 */
struct server_report {
	atomic_int state; /* 0 nothing, 1 text is complete */
	char text[ERR_TEXT_SIZE];
};

/*
 * Memory that launcher, supervisor and all its workers share (MAP_SHARED). A thread
 * reads a request from the device into its own slot and clears it, that is sets the
 * length in its header to 0, when it is answered; what is left in a slot was read by a worker that
 * ended over it, and the next one answers it. The worker can write anything here.
 */
struct server_table {
	struct server_report report;
	/* Only ever counted up, and compared with what they were: a lie in them is no harm. */
	atomic_ulong answered; /* requests, by all workers */
	atomic_uint heard;     /* words that the supervisor has heard; a futex(2) */
	atomic_uint alone;     /* slot + 1 that one thread answers while the others wait; 0: none */
	struct server_slot {
		char request[SERVER_REQUEST_SIZE] __attribute__((aligned(8)));
	} slot[SERVER_THREADS_MAX];
};

/*
 * A kind of request: its operation (<linux/fuse.h>), the node it is about, and a hash of the name
 * that it looks up, 0 for others. Two lookups of names with one hash are one kind: then one too
 * many gets EIO.
 */
struct server_kind {
	uint32_t opcode, name;
	uint64_t node;
};
/*
 * The request of a slot, and its number, @unique, by which the kernel knows it. Returns false when
 * there is none, or no whole one. Copies the header first: a worker may change it meanwhile.
 */
bool server_kind_of(const struct server_slot *slot, struct server_kind *out, uint64_t *unique);

/*
 * What the worker says on options.say: one of these, a text of less than ERR_TEXT_SIZE bytes, a
 * NUL, as one message.
 */
enum server_word {
	/* What of the image proved damaged. It is in the report, too, if it was the first. */
	SERVER_DAMAGE = 'd',
	/* A path for options.blame. */
	SERVER_BLAME = 'b',
};

/*
 * What a worker is told. The supervisor keeps it, and changes what is below @again for the next
 * worker; descriptors and texts are borrowed.
 */
struct server_options {
	int image_fd;            /* the file the image is in ... */
	uint64_t offset, size;   /* ... and where in it, bytes */
	const char *image_name;  /* for messages */
	size_t cache_size, metadata_size; /* bytes, see lib/squashfs/squashfs.h */
	/* What is shown beside the image's files, and as whose all of it is shown. */
	const struct show *shows;
	size_t show_count;
	uid_t uid;               /* every inode is shown with this owner ... */
	gid_t gid;               /* ... and group: ids as the container sees them */
	int threads;             /* 0: as many as there are CPUs in the affinity mask, at most 8 */
	bool require_cage;       /* see lib/cage/cage.h */
	bool log;                /* say debug lines on standard error */
	/* What ties it to the others. */
	struct server_table *table;
	int say;                 /* a pipe for words, non-blocking */
	int attach;              /* a socket on which the mounted device comes ... */
	int device;              /* ... unless it is here already; else -1 */

	/*
	 * Another worker ended before this one: the supervisor says what that one left, and what is
	 * not to be tried again.
	 */
	bool again;
	unsigned suspects;       /* so many requests are answered one at a time first */
	const struct server_kind *refused; /* kinds of requests that get EIO unread */
	size_t refused_count;
	const struct server_kind *blame;   /* find the path of this one and say it; NULL: none */
};

#endif
