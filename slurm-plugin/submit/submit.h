/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * submit.h - in srun, sbatch and salloc: note what is asked for, and pin the image that the user
 * means.
 *
 * Runs as the user, where the user typed the command. What is found out goes into variables
 * of the job; their names begin with SLURM_, which alone survive --export=NONE. Slurm's own
 * variable is among what is taken and not among what is left: Slurm does not set it a second
 * time, neither for another image nor for the next component of a heterogeneous step.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_SUBMIT_H
#define FIRN_SLURM_PLUGIN_SUBMIT_SUBMIT_H

#include "slurm-plugin/settings.h"
#include "slurm-plugin/wish.h"

/* Names of variables. */
#define SUBMIT_PIN "SLURM_FIRN_PIN"	    /* slurm-plugin/pin.h */
#define SUBMIT_OPTIONS "SLURM_FIRN_OPTIONS" /* slurm-plugin/wish.h */
#define SUBMIT_CONTAINER "SLURM_CONTAINER"  /* Slurm's own --container */
#define SUBMIT_HET                                                                                 \
	"SLURM_FIRN_HET" /* set where components have their own: SLURM_FIRN_HET_OPTIONS_0 */
#define SUBMIT_HET_OPTIONS SUBMIT_HET "_OPTIONS_" /* empty: that component has no container */
#define SUBMIT_HET_PIN SUBMIT_HET "_PIN_"
#define SUBMIT_AGAIN                                                                               \
	"SLURM_SPANK_" /* before two of these names: sbatch sets them after --export-file */
#define SUBMIT_JOB                                                                                 \
	"SLURM_FIRN_JOB" /* in tasks: the number of the job that these variables are of */

enum { SUBMIT_COMPONENTS_MAX = 128 /* Slurm's MAX_HET_JOB_COMPONENTS */ };

/* One command's. Begin with zeros; all texts are owned. */
struct submission {
	bool is_step;		     /* srun, not sbatch or salloc */
	struct slurm_wish inherited; /* srun: of the job, as what a step does not say */
	struct slurm_wish variables; /* likewise: of the environment (variables.h), before those */
	char *pin;		     /* srun: the job's */
	char *why;		     /* what the environment has is not understood */
	struct submitted {
		int number;	     /* of the component */
		char *options, *pin; /* NULL: no container */
	} component[SUBMIT_COMPONENTS_MAX];
	size_t count;
};

/*
 * Before Slurm reads the command line: take the variables of the job around away. A step
 * inherits what they say; sbatch and salloc begin anew, as they do with SLURM_CONTAINER.
 */
void submit_begin(struct submission *submission, bool is_step);

/*
 * Whether @wish, Slurm's own option, or the variable that counts where both are silent, names an
 * image as a registry does, and no file that is here. false where submit_take() fails anyhow.
 */
bool submit_is_named(struct submission *submission, struct slurm_wish *wish);
/* Put the files in the place of such names: named.h. @firn is the program. 0, or -1 with @err. */
int submit_name(struct submission *submission, struct slurm_wish *wish, const char *firn,
		struct err *err);

/*
 * After Slurm has read the options of a component: complete @wish by Slurm's own option and by what
 * is inherited. Returns 1 when there is something to do, 0 when this one asks for nothing (then no
 * more is looked at: no job without a container fails by firn), or -1.
 */
int submit_take(struct submission *submission, struct slurm_wish *wish, struct err *err);

/*
 * Pin @wish's image and make the texts of it. What can be on no node is an error (visible.h).
 * @warn says what a site that only tries will do without, and what only the nodes may have.
 */
int submit_pin(struct submission *submission, const struct slurm_wish *wish,
	       const struct settings *settings, void (*warn)(const struct err *err),
	       struct submitted *out, struct err *err);

/*
 * Take @made over (NULL texts: no container), as of component @number (-1: not known), and set the
 * variables for all components so far. Refuses what cannot reach the nodes.
 */
int submit_publish(struct submission *submission, int number, struct submitted *made,
		   struct err *err);

/* Free all of it; fine for zeros. */
void submit_clear(struct submission *submission);

#endif
