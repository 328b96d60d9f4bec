/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * plan.h - the container as a list of steps.
 *
 * A plan says what will be shown and mounted where, in order, and what is run
 * in the end. To build one makes no system call, so it can be printed, compared
 * and tested anywhere; a pipe's descriptor is the one thing of the system's in it.
 * Steps are carried out first to last by runner/mount/mount.c; a later step may cover
 * an earlier one.
 *
 * runner/plan/compose.h makes one of a request and an image, mpi-glue adds what a
 * host's MPI needs, --print-plan shows it, and its hash says which ranks may share a
 * container.
 */
#ifndef FIRN_LIB_PLAN_H
#define FIRN_LIB_PLAN_H

#include "lib/err.h"
#include "lib/own.h"
#include "lib/sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct image; /* lib/image/image.h */

/* What a step does. Which fields of struct plan_step it has stands with each. */
enum plan_kind {
	PLAN_FILE,    /* a read-only file @target with the text @content instead of the image's */
	PLAN_PREFIX,  /* the same with the image's own file, if any, behind @content */
	PLAN_OVERLAY, /* the root becomes writable: changes go to @source, or to memory if NULL */
	PLAN_BIND,    /* host's @source and the mounts below it at @target */
	PLAN_TMPFS,   /* an empty file system in memory at @target, of @size bytes (0: half the
			 memory) */
	PLAN_DEVPTS,  /* pseudo-terminals of the container's own at @target */
	PLAN_LINK,    /* a symlink @target to @content, instead of the image's file */
	PLAN_DIR,     /* an empty directory @target, where there is none */
	PLAN_PIPE, /* a read-only file @target with what a helper says on @fd, if it does in time */
	PLAN_IMAGE, /* the directory @content of the image @source at @target, read-only */
};

/* Data images (PLAN_IMAGE) of one plan: each has a process of its own. */
enum { PLAN_IMAGES_MAX = 32 };

/* How: a set of these. Most are for binds; where a step has no use for one it means nothing. */
enum plan_flags {
	/* Nothing can be written through it; what is mounted below it included. */
	PLAN_READONLY = 1 << 0,
	/* Device nodes may be opened: /dev. */
	PLAN_DEVICES = 1 << 1,
	/* A missing source is no error. */
	PLAN_OPTIONAL = 1 << 2,
	/* The source is no directory, so the mount point is a file. */
	PLAN_ISFILE = 1 << 3,
	/* tmpfs: mode 1777 instead of 0755. */
	PLAN_SHARED_MODE = 1 << 4,
	/* A file whose copy will do, where the mount server shows files; see PLAN_REPLACE. */
	PLAN_COPY = 1 << 5,
	/* There because somebody stands in it just now. */
	PLAN_CWD = 1 << 6,
	/* Not worth an overlay: without a mount point it is not shown. */
	PLAN_NOPOINT = 1 << 7,
	/* Nobody named it: through a symlink it goes only to where nothing is. */
	PLAN_IMPLICIT = 1 << 8,
	/* A file that takes the place of the image's name, also of a symlink. */
	PLAN_REPLACE = 1 << 9,
	/* The source is not there: this is only said, once. */
	PLAN_MISSING = 1 << 10,
	/* Of this process alone: no matter to others of its container. */
	PLAN_PERSONAL = 1 << 11,
};

/* Where the working directory is shown when its own path leads elsewhere in the image. */
#define PLAN_CWD_PLACE "/.firn/cwd"

/* One step; its strings are the plan's, NULL where its kind has none. */
struct plan_step {
	enum plan_kind kind;
	unsigned flags;
	char *source;  /* host path, absolute */
	char *target;  /* path inside, absolute, tidy */
	/* PLAN_FILE, PLAN_PREFIX: text; PLAN_LINK: where it points; PLAN_IMAGE: path in the image,
	 * absolute, tidy, NULL for its root */
	char *content;
	uint64_t size; /* PLAN_TMPFS: bytes */
	int fd;        /* PLAN_PIPE: owned */
	struct image *image; /* PLAN_IMAGE: open, a squashfs or SIF; owned */
};

/* Who serves the image: firn's own mount server, squashfuse_ll, or nobody, as it is a directory. */
enum plan_engine { PLAN_ENGINE_FIRN, PLAN_ENGINE_SQUASHFUSE, PLAN_ENGINE_NONE /* a directory */ };

/* All that a start needs to know. What is read is read from here; plan_add_*() append steps. */
struct plan {
	/* The root */
	enum plan_engine engine;
	char *image; /* absolute path */
	uint64_t offset; /* of the squashfs in that file, bytes */

	/* Who */
	uid_t uid, inner_uid; /* outside, inside */
	gid_t gid, inner_gid;
	bool keep_capabilities; /* --root */

	/* No part of the hash; what they change in the steps is. */
	bool contained;	  /* --contain: see runner/mount/guard.h */
	bool overlay_any; /* --overlay-any: on whatever image it was made */

	struct plan_step *step;
	size_t count;

	/* What is run: all owned by the plan, NULL-terminated vectors */
	char **argv;
	char **env;
	char **scripts; /* of the image, which make @env first; NULL: none
			   (runner/task/env_shell.h) */
	char **own; /* the variables that the command line sets; in @env only without scripts */
	char *path_first, *path_last; /* what stands around PATH; NULL: nothing; as @own in @env */
	char **cwd; /* working directories to try, best first */
	struct plan_here {
		size_t from, count; /* those of @cwd that are names of the caller's own directory */
		dev_t dev;
		ino_t ino;
		int lost; /* errno value why it cannot be known, or 0 */
	} here;
};

/*
 * A new plan without steps, all zero: PLAN_ENGINE_FIRN, root outside and inside. NULL without
 * memory. plan_free() frees it with its strings and closes descriptors of pipes; NULL is fine.
 */
struct plan *plan_new(void);
void plan_free(struct plan *plan);
void plan_freep(struct plan **plan);
#define auto_plan CLEANUP(plan_freep) struct plan

/*
 * Append a step. Strings are copied. A target must be absolute and without ".."; it is
 * kept tidy (lib/path.h), and "/" is refused, for the image itself stands there. Nobody looks
 * whether a source exists. Returns 0, or -1 with @err saying which of them is wrong; the plan
 * is then as it was.
 */
int plan_add_bind(struct plan *plan, const char *source, const char *target, unsigned flags,
		  struct err *err);
int plan_add_tmpfs(struct plan *plan, const char *target, uint64_t size, unsigned flags,
		   struct err *err);
/* @kind: PLAN_FILE, PLAN_PREFIX or PLAN_LINK. */
int plan_add_text(struct plan *plan, enum plan_kind kind, const char *target, const char *content,
		  struct err *err);
/* @fd is taken over, on failure closed. See runner/mount/pipe_text.h for how the text ends. */
int plan_add_pipe(struct plan *plan, int fd, const char *target, struct err *err);
/*
 * @image is taken over, on failure freed; its path is the step's source. @sub: of its root, or NULL
 * for all of it. More than PLAN_IMAGES_MAX are an error.
 */
int plan_add_image(struct plan *plan, struct image *image, const char *target, const char *sub,
		   unsigned flags, struct err *err);
int plan_add_dir(struct plan *plan, const char *target, struct err *err);
int plan_add_devpts(struct plan *plan, const char *target, struct err *err);
/* At most one, which is laid before all other steps. @upper NULL: in memory. */
int plan_add_overlay(struct plan *plan, const char *upper, struct err *err);

/*
 * Whether a step before @before already puts something at @target or above it,
 * so that the mount point is no matter of the image.
 */
bool plan_covers(const struct plan *plan, size_t before, const char *target);

/*
 * Whether @path inside shows the host's own @path, by a bind of itself or of a
 * directory above it that no later step covers.
 */
bool plan_shows_host(const struct plan *plan, const char *path);

/* Whether @step may be left out where the image has no place for it: the user did not name it. */
bool plan_step_is_lenient(const struct plan_step *step);

/*
 * Whether the directory @path belongs to the image: what the user did not name is not shown there.
 * A home may lie below /opt, and be /root, and so may what a launcher names: @as_home.
 */
bool plan_is_images(const char *path, bool as_home);

/*
 * Add to @hash what makes the container: the root but for its file, who, and all
 * steps but those with a flag of @without, personal ones and what comes through a pipe. Of the
 * files of data images that is only where they go, as of the root's. What is run, with which
 * environment and where, is not part of it. Numbers are added in the machine's own byte order: who
 * compares hashes does so on one machine.
 */
void plan_hash(const struct plan *plan, unsigned without, struct sha256 *hash);

/* Write one line per step, as --print-plan shows it. Names are quoted by path_quote(). */
void plan_print(const struct plan *plan, FILE *out);

#endif
