/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * settle.h - in slurmstepd: what was asked for this step, of this component.
 *
 * Slurm hands a plugin's options over once for all components of a heterogeneous step, and of an
 * option given twice the last value alone. So the wish comes in variables (submit.h).
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_SETTLE_H
#define FIRN_SLURM_PLUGIN_NODE_SETTLE_H

#include "slurm-plugin/wish.h"

#include <slurm/spank.h>

/* A variable of the job, new; NULL if there is none. */
char *settle_variable(spank_t spank, const char *name);

/*
 * A script that was submitted from within another job's container, by an sbatch without the plugin,
 * still has that job's variables. They are not its own, as they are not with the plugin: they are
 * taken away. Returns whether there were any.
 */
bool settle_foreign(spank_t spank);

/*
 * Replace @wish, which Slurm's options made, by what the variables say, and leave those of this
 * component alone, SLURM_CONTAINER among them: a step that a task starts inherits them. Without
 * variables @wish stays: the job was submitted without the plugin. Returns 1, or -1; 0 when the
 * component is not known yet, as before the step listens for it: then @wish is that of one that
 * wants most of the node, and the call is to be made again.
 */
int settle_wish(spank_t spank, struct slurm_wish *wish, struct err *err);

#endif
