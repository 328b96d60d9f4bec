/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tool.h - an image out of another engine's store, by that engine's own "save".
 *
 * "podman:NAME" and "docker-daemon:NAME" run "podman save NAME" and "docker save NAME",
 * found in PATH, without a shell, as the user, and read the archive that they write. Where
 * an engine keeps what, and who may see it, stays its own business.
 *
 * Rootless podman needs newuidmap, which works only where privileges can be gained: the
 * program is started before firn-build gives that up.
 */
#ifndef FIRN_BUILDER_SOURCE_TOOL_H
#define FIRN_BUILDER_SOURCE_TOOL_H

#include "builder/source/input.h"

struct tool;

/* Does @source begin like the name of an engine's image? */
bool tool_is_meant(const char *source);

/* Run the engine that @source names. */
int tool_start(const char *source, struct tool **out, struct err *err);

/*
 * All that it writes; returns when it has ended, which may take as long as it likes. When
 * it fails, the error is what it said.
 */
int tool_read(struct tool *tool, const struct limits *limits, struct input **out, struct err *err);

/* A program that still runs is killed. */
void tool_free(struct tool *tool);
void tool_freep(struct tool **tool);
#define auto_tool CLEANUP(tool_freep) struct tool

#endif
