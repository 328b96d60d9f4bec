/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * request.h - what the command line asks for, word by word.
 *
 * Reading a request looks at nothing but the words: whether a file exists or an
 * option is allowed is decided later, in compose.c.
 */
#ifndef FIRN_RUNNER_ASK_REQUEST_H
#define FIRN_RUNNER_ASK_REQUEST_H

#include "lib/err.h"
#include "lib/log.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum request_verb { REQUEST_EXEC, REQUEST_RUN, REQUEST_SHELL, REQUEST_SESSION };

/* What a file is shown as: an image's contents if it begins as one, or what is said. */
enum request_as { REQUEST_AS_FITS, REQUEST_AS_FILE, REQUEST_AS_IMAGE };

/* One of --bind, --mount and --tmpfs, in the order given. */
struct request_mount {
	char *source; /* NULL: a tmpfs */
	char *target; /* NULL: the same as the source */
	enum request_as as; /* REQUEST_AS_IMAGE with a target only */
	char *sub;	    /* of an image, the directory that is shown; NULL: its root */
	char *expect;	    /* an image's identity (lib/image/identity.h); NULL: any */
	bool readonly;
	bool writable; /* "rw" was said */
	bool optional; /* a missing source is no error */
	uint64_t size; /* tmpfs, bytes; 0: the kernel's default */
};

/* One of --env and --env-file, in the order given. */
struct request_env {
	char *text; /* NAME=VALUE, NAME, or the name of a file */
	bool is_file;
};

/* The words of one command line, with what is theirs. NULL or false for what is not given. */
struct request {
	enum request_verb verb;
	struct request_mount *mount;
	size_t mount_count;
	struct request_env *env;
	size_t env_count;
	int *env_fd; /* of the files among them, -1 for others; NULL until env_open_files() (env.h);
			owned */
	char *home, *home_target; /* --home */
	const char *cwd;
	const char *shell; /* --shell */
	const char *path_first, *path_last; /* --prepend-path, --append-path */
	const char *overlay;
	const char *engine;
	const char *config;
	const char *session; /* --session */
	const char *mpi; /* --mpi: "hybrid", "none" or "host"; NULL: the configuration's */
	const char *mpi_profile; /* of "host", what stands behind its colon; else NULL */
	bool host_glibc;	 /* --glibc=host */
	bool clean_env, no_home, contain, writable_tmpfs, root, frozen, private, print_plan, help;
	bool overlay_any;
	bool prompt; /* set by main: somebody types into it */
	enum log_level level;
	/* session-start's own */
	int control;         /* --control-fd; -1 */
	int hold_pid;        /* --hold-pid; 0 */
	bool entrypoint;     /* --entrypoint: the verb becomes REQUEST_RUN, without the image's own
				command */
	const char *name;    /* --name: the container that is called so; then @image may be NULL */
	const char *asked;   /* --asked: options that the container called @name must be made of, to
				be read */
	const char *from;    /* --from: directory to be in, for who starts elsewhere */
	const char *use;     /* --use: "create" the one called @name, "exec" in it; NULL: either */
	const char *scope;   /* --scope: among whom the name is known */
	const char *hold_path; /* --hold-path: it lives until this directory is removed */
	const char *expect;  /* --expect: the image's identity (lib/image/identity.h) */
	const char **given; /* the verb and the long names of the options given, NULL-terminated */
	size_t given_count;
	const char *image; /* these point into argv */
	char **command;    /* what follows the image, NULL-terminated */
};

/*
 * Read @argv, which begins behind the verb. Returns a new request, or -1 with
 * @err naming the word that is wrong.
 */
int request_read(enum request_verb verb, int argc, char **argv, struct request **out,
		 struct err *err);
void request_free(struct request *request);
void request_freep(struct request **request);
#define auto_request CLEANUP(request_freep) struct request

/* Write "usage" and the table of options of a verb. */
void request_help(enum request_verb verb, FILE *out);

/* "SRC[:DST[:WORD[,...]]]" with "\:" for a colon, "\," for a comma; for --bind and the
 * configuration's bind. Words: ro, rw, optional, file, image, image-src=DIR, expect=IDENTITY. */
int request_bind_parse(const char *text, struct request_mount *out, struct err *err);
/* The same of --home, which takes no mode. */
int request_home_parse(const char *text, struct request_mount *out, struct err *err);
/* The same of a line of firn.conf, where the paths may hold $USER and the like. */
int request_bind_configured(const char *text, struct request_mount *out, struct err *err);
/* Whether @bind looks like several: an absolute path behind an unescaped comma. */
bool request_bind_is_list(const char *bind);
void request_mount_clear(struct request_mount *mount);
/* "type=bind,src=A,dst=B[,ro]", "type=image,src=A,dst=B[,image-src=DIR]" and
 * "type=tmpfs,dst=B[,size=N]", as --mount takes them. */
int request_mount_parse(const char *text, struct request_mount *out, struct err *err);
/* "DST[:size=N]", as --tmpfs takes it. */
int request_tmpfs_parse(const char *text, struct request_mount *out, struct err *err);

#endif
