/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * variables.h - options of a container that stand in the environment, by pyxis's names.
 *
 * PYXIS_CONTAINER_IMAGE, _MOUNTS, _WORKDIR, _NAME, _ENV, _SAVE with a value, as after the option;
 * _MOUNT_HOME, _REMAP_ROOT, _ENTRYPOINT, _ENTRYPOINT_LOG, _WRITABLE, _READONLY with 1 or 0 (also
 * true, yes, on and false, no, off), as pyxis reads them. An option of the command line
 * goes before them, and they go before what a job's submission said.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_VARIABLES_H
#define FIRN_SLURM_PLUGIN_SUBMIT_VARIABLES_H

#include "slurm-plugin/wish.h"

/*
 * Take all of them over into @wish, and out of the environment: what they say is the job's from now
 * on, and one that stands in a script's was set there. Returns 0, or -1 with @err naming the
 * variable; all are gone then, too.
 */
int variables_take(struct slurm_wish *wish, struct err *err);

#endif
