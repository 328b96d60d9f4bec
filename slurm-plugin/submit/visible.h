/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * visible.h - whether what a job names can be there, as far as it can be told where it is typed.
 *
 * A mistake is cheap before the job has waited for an hour. But nodes may have what is not here:
 * local disks, other software. So a missing file is a mistake only where its directory is here and
 * is a place that machines share, as far as its name tells; anything else is a warning. Nothing is
 * said inside a container of firn's, whose files are not those of the node.
 */
#ifndef FIRN_SLURM_PLUGIN_SUBMIT_VISIBLE_H
#define FIRN_SLURM_PLUGIN_SUBMIT_VISIBLE_H

#include "lib/err.h"

#include <stdbool.h>

enum visible {
	VISIBLE_THERE,	 /* or there is no telling: no right to look, a relative name */
	VISIBLE_MISSING, /* not here, and so nowhere */
	VISIBLE_UNKNOWN, /* not here, but the nodes may have it */
};

/*
 * Of an image or a mount's source at the absolute @path: nodes may have anything of / that is not
 * here, and other files in directories of the system, as /opt, /tmp and /usr, and in $TMPDIR.
 */
enum visible visible_path(const char *path);

/*
 * Look at all sources of @mounts, a list of --container-mounts that was checked. Returns 0, or -1
 * with @err naming the first that is a mistake; @warn tells those that may be one.
 */
int visible_mounts(const char *mounts, void (*warn)(const struct err *err), struct err *err);

/*
 * Whether @dir, the --container-workdir, can be in a container of @image with @mounts: 0, or -1
 * with @err. It is a mistake if it is neither here nor in the image (@firn is asked, which exits
 * with runner/has.h's status), nor has to do with a mount of the user's or the site's. Where there
 * is no image to look into, there is no telling.
 */
int visible_workdir(const char *dir, const char *image, const char *mounts, const char *firn,
		    struct err *err);

/*
 * What to say of @name, as it was typed, that is no file here but looks like a registry's image
 * ("docker://a/b", "a#b/c", "ubuntu:22.04"). Returns -1 with @err then, otherwise 0.
 */
int visible_is_no_reference(const char *name, struct err *err);

#endif
