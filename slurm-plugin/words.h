/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * words.h - from a wish to words of `firn session-start`, and back in what that says. Touches the
 * system no more than wish.h.
 *
 * Values of the user's become the value of an option and never an option: each stands behind
 * "--NAME=" in one word, and the image behind "--".
 */
#ifndef FIRN_SLURM_PLUGIN_WORDS_H
#define FIRN_SLURM_PLUGIN_WORDS_H

#include "slurm-plugin/wish.h"

#include <stdint.h>

/* What the node adds; all borrowed. */
struct slurm_step {
	uint32_t job, step;
	const char *node;
	int control;	      /* descriptor for --control-fd */
	const char *firn;     /* the program, for containers with an entrypoint */
	const char *image;    /* absolute; NULL: that of the container called so */
	const char *identity; /* to be checked; NULL: not known */
	const char *from;     /* the job's directory; NULL: where it starts */
	char *const *data;    /* the pin's; NULL: none is known */
	const char *spool;    /* slurmd's directory of scripts and sockets; NULL: not known */
	const char *jobs;     /* directory with one for each job, for containers with a name */
};

/*
 * Words for session-start, new, NULL-terminated: {"firn", "session-start", OPTION..., "--", IMAGE}.
 * At most 1024 of them: more are an error, as a user could name any number of mounts. Returns 0 and
 * @out, which slurm_words_free() frees, or -1 with @err.
 */
int slurm_wish_words(const struct slurm_wish *wish, const struct slurm_step *step, char ***out,
		     struct err *err);
void slurm_words_free(char **words);

/*
 * @text, what session-start says, with the options that it knows by the names that the user can
 * give: "--root" is "--container-remap-root". Into @out, cut where @size bytes are full.
 */
void slurm_words_back(const char *text, char *out, size_t size);

#endif
