/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * step_end.h - a node has no container for its step: the tasks on other nodes must not go on.
 *
 * They would wait for these for ever. Slurm kills what it finds running, on nodes that have begun;
 * others are slower, by as much as their container takes. So it is asked more than once.
 */
#ifndef FIRN_SLURM_PLUGIN_NODE_STEP_END_H
#define FIRN_SLURM_PLUGIN_NODE_STEP_END_H

#include <slurm/spank.h>

/* When the first task of this node has ended. Nodes do it one after the other, if several fail. */
void step_end(spank_t spank);
/* At slurmstepd's end, when srun has heard of it all: again, for seconds, if step_end() was called.
 */
void step_end_again(void);

#endif
