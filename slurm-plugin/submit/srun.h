/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * srun.h - what is asked of srun itself, and the one thing that is done to it.
 *
 * By its own functions slurm_option_get(&opt, NAME) and slurm_option_reset(&opt, NAME), so that no
 * layout of Slurm's is known. Neither is an interface of Slurm's. The plugin is in every srun of a
 * site, so nothing is called unless it is certain what it is: "opt" must be a variable of the
 * program itself, which must be srun, and have the size of a structure of options; the function
 * must be the program's or libslurm's, where srun's own calls go. A variable of that name in some
 * other library is left alone.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_SRUN_H
#define FIRN_SLURM_PLUGIN_SUBMIT_SRUN_H

#include <stdbool.h>

/* Have srun forget its --container. Returns whether it was done; if not, srun is as it was. */
bool srun_forget_container(void);

/*
 * The number of the component whose options srun has just read, 0 when the step is not
 * heterogeneous; -1 when it is not told. SPANK tells a plugin nothing of components.
 */
int srun_component(void);

/*
 * Whether a word of the command line is the ":" between components. If so, what the first one
 * said must be forgotten before srun reads the next one's options, which begin with it. True,
 * too, where it cannot be read: to forget for nothing does no harm.
 */
bool srun_has_components(void);

#endif
