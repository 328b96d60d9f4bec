/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * data_images.h - which data images a job means: those of --container-mounts as they are where the
 * user types.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_DATA_IMAGES_H
#define FIRN_SLURM_PLUGIN_SUBMIT_DATA_IMAGES_H

#include "lib/err.h"

#include <stdbool.h>

/*
 * Look at the sources of @mounts (NULL: none), a list that was checked, which have a target and
 * begin as images. Returns 0 and a new list for struct pin's data in @out, NULL for none, or -1 for
 * one that is damaged, or that is to be an image and is none. What only the nodes have is left
 * out, or, where it is known to be an image and @require says so, an error. Those of @job, the
 * job's own list (NULL: none), are taken from it.
 */
int data_images_look(const char *mounts, char *const *job, bool require, char ***out,
		     struct err *err);

#endif
