/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * submit.h - in srun, sbatch and salloc: pin the image that the user means.
 *
 * Runs as the user, where the user typed the command. What is found out goes into variables
 * of the job; their names begin with SLURM_, which alone survive --export=NONE.
 */
#ifndef FIRN_SLURM_SUBMIT_H
#define FIRN_SLURM_SUBMIT_H

#include "slurm-plugin/settings.h"
#include "slurm-plugin/words.h"

#define SUBMIT_PIN "SLURM_FIRN_PIN"	   /* slurm-plugin/pin.h */
#define SUBMIT_CONTAINER "SLURM_CONTAINER" /* Slurm's own --container */

/*
 * Whether there is anything to do. If not, the pin of another job that the environment still
 * has is taken away, and nothing else is looked at: no job without a container fails by firn.
 */
bool submit_is_asked(const struct slurm_wish *wish);

/*
 * @is_step: in srun, which may be a step of a job that was submitted long before. Sets or
 * unsets the variables. @warn says what a site that only tries will do without.
 */
int submit(const struct slurm_wish *wish, const struct settings *settings, bool is_step,
	   void (*warn)(const struct err *err), struct err *err);

#endif
