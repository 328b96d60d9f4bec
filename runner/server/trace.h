/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * trace.h - the path of a request, for a message: node ids do not tell it.
 */
#ifndef FIRN_RUNNER_SERVER_TRACE_H
#define FIRN_RUNNER_SERVER_TRACE_H

#include "lib/squashfs/squashfs.h"
#include "runner/server/setup.h"

/*
 * Look through all directories for what @kind asks of, and write its path to @path.
 * For a name that is looked up it is that of the directory. Returns whether it was found.
 */
bool trace_path(struct squashfs_reader *reader, const struct server_kind *kind, char *path,
		size_t size);

#endif
