/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * wish.h - what a user asks of a step's container, by options of srun, sbatch and salloc.
 *
 * Names and values are those of pyxis. A wish is made where the user types, travels as a text in
 * the job's environment and is read on every node: Slurm itself hands over only the last of an
 * option's values, and one set for all components of a step. Nothing here touches the system:
 * values are a user's, and in slurmstepd they are looked at by root.
 */
#ifndef FIRN_SLURM_PLUGIN_WISH_H
#define FIRN_SLURM_PLUGIN_WISH_H

#include "lib/err.h"
#include "lib/sha256.h"

#include <stdbool.h>
#include <stddef.h>

// clang-format off
/* The options, by the numbers that Slurm is given for them (spank.h, struct spank_option). */
enum slurm_option {
	SLURM_IMAGE = 1, SLURM_MOUNTS, SLURM_WORKDIR, SLURM_ENV, SLURM_MOUNT_HOME,
		SLURM_NO_MOUNT_HOME,
	SLURM_REMAP_ROOT, SLURM_NO_REMAP_ROOT, SLURM_ENTRYPOINT, SLURM_NO_ENTRYPOINT,
		SLURM_READONLY,
	SLURM_WRITABLE, SLURM_NAME, SLURM_MPI, SLURM_GPU, SLURM_SAVE, SLURM_ENTRYPOINT_LOG,
	SLURM_UNSHARE,
};
// clang-format on

enum { SLURM_WISH_MAX = 96 << 10 /* bytes of its text; a variable may have 128 KiB */ };

/* What the user asked for; texts are owned. */
struct slurm_wish {
	char *container; /* Slurm's own --container, absolute; NULL: not by that */
	char *image;	 /* --container-image; NULL: not by that */
	char *mounts, *workdir, *env, *name, *mpi, *gpu;
	char *use; /* behind the name: "create" it, do not enter one; "exec", the other way; NULL:
		      either */
	bool no_home, root, writable, entrypoint;
	unsigned given; /* 1 << option, for those that were given; of two opposites the last one */
};

/* What --help says, by number; NULL name ends the table. */
struct slurm_option_text {
	enum slurm_option number;
	const char *name, *argument, *help;
};
extern const struct slurm_option_text slurm_options[];

/*
 * Take one option over. Lists (mounts, env) add up, of others the last one counts. Refused are
 * values that cannot be meant, and options that firn does not have, with what to use instead.
 */
int slurm_wish_take(struct slurm_wish *wish, enum slurm_option option, const char *value,
		    struct err *err);
void slurm_wish_clear(struct slurm_wish *wish);

/*
 * What @wish does not say is as in @other; its image is, if @wish names none in either way. How a
 * name is used is not: that is for the one step that says so. Texts are copied. Returns 0, or -1
 * without memory.
 */
int slurm_wish_inherit(struct slurm_wish *wish, const struct slurm_wish *other, struct err *err);

/* The first option given that means nothing without an image (or a name), without its dashes; NULL:
 * none. */
const char *slurm_wish_lonely(const struct slurm_wish *wish);

/* Whether a container is asked for, or something of one. */
bool slurm_wish_is_any(const struct slurm_wish *wish);

/*
 * The options given that make a container what it is, and are not just a task's, for the user to
 * read:
 * "--container-mounts, --container-writable"; new. Empty when there are none.
 */
int slurm_wish_made_of(const struct slurm_wish *wish, char **out, struct err *err);

/*
 * To a text of lines, new, of at most SLURM_WISH_MAX bytes; and back. Return 0, or -1 with @err:
 * the text may be whatever the job's owner put into the environment.
 */
int slurm_wish_print(const struct slurm_wish *wish, char **out, struct err *err);
int slurm_wish_parse(const char *text, struct slurm_wish *out, struct err *err);

/* A hash, in hexadecimal digits, of all options but the image. */
void slurm_wish_hash(const struct slurm_wish *wish, char out[2 * SHA256_SIZE + 1]);

#endif
