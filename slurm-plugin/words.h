/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * words.h - from options of srun to words of `firn session-start`.
 *
 * Names and values are those of pyxis. Nothing here touches the system: values are a
 * user's, and in slurmstepd they are looked at by root.
 */
#ifndef FIRN_SLURM_WORDS_H
#define FIRN_SLURM_WORDS_H

#include "lib/err.h"
#include "lib/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// clang-format off
enum slurm_option {
	SLURM_IMAGE = 1, SLURM_MOUNTS, SLURM_WORKDIR, SLURM_ENV, SLURM_MOUNT_HOME, SLURM_NO_MOUNT_HOME,
	SLURM_REMAP_ROOT, SLURM_NO_REMAP_ROOT, SLURM_ENTRYPOINT, SLURM_NO_ENTRYPOINT, SLURM_READONLY,
	SLURM_WRITABLE, SLURM_NAME, SLURM_MPI, SLURM_GPU, SLURM_SAVE, SLURM_ENTRYPOINT_LOG,
};
// clang-format on

/* What the user asked for; texts are owned. */
struct slurm_wish {
	char *image; /* as typed; NULL: not by an option of ours */
	char *mounts, *workdir, *env, *name, *mpi, *gpu;
	bool no_home, root, writable, entrypoint;
};

/* What --help says, by number; NULL name ends the table. */
struct slurm_option_text {
	enum slurm_option number;
	const char *name, *argument, *help;
};
extern const struct slurm_option_text slurm_options[];

/* Take one option over. Refused are those that firn does not have, with what to use instead. */
int slurm_wish_take(struct slurm_wish *wish, enum slurm_option option, const char *value,
		    struct err *err);
void slurm_wish_clear(struct slurm_wish *wish);

/* The first option given that means nothing without an image (or a name); NULL: none. */
const char *slurm_wish_lonely(const struct slurm_wish *wish);

/* A hash, in hexadecimal digits, of all options but the image. */
void slurm_wish_hash(const struct slurm_wish *wish, char out[2 * SHA256_SIZE + 1]);

/* What the node adds; all borrowed. */
struct slurm_step {
	uint32_t job, step;
	const char *node;
	int control;	      /* descriptor for --control-fd */
	const char *firn;     /* the program, for containers with an entrypoint */
	const char *image;    /* absolute; NULL: that of the container called so */
	const char *identity; /* to be checked; NULL: not known */
	const char *spool;    /* slurmd's directory of scripts and sockets; NULL: not known */
	const char *jobs;     /* directory with one for each job, for containers with a name */
};

/* Words for session-start, new, NULL-terminated: {"firn", "session-start", OPTION..., "--", IMAGE}.
 */
int slurm_wish_words(const struct slurm_wish *wish, const struct slurm_step *step, char ***out,
		     struct err *err);
void slurm_words_free(char **words);

#endif
