/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * srun.h - the one thing that is done to srun itself.
 */
#ifndef FIRN_SLURM_SRUN_H
#define FIRN_SLURM_SRUN_H

#include <stdbool.h>

/*
 * Have srun forget its --container, by its own slurm_option_reset(&opt, "container").
 *
 * Neither is an interface of Slurm's. The plugin is in every srun of a site, so nothing is called
 * unless it is certain what it is: "opt" must be a variable of the program itself, which must be
 * srun, and have the size of a structure of options; the function must be the program's or
 * libslurm's, where srun's own calls go. A variable of that name in some other library is left
 * alone. Returns whether it was done; if not, srun is as it was.
 */
bool srun_forget_container(void);

#endif
