/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * title.h - what ps(1) shows of the processes beside the program.
 *
 * They are copies of the launcher, and /proc/PID/cmdline, which everybody may read, would
 * keep its words as long as the container lives: also a password that stood behind --env.
 */
#ifndef FIRN_RUNNER_MOUNT_TITLE_H
#define FIRN_RUNNER_MOUNT_TITLE_H

/* Remember where the words lie: to be called by main() with its own @argv. */
void title_remember(char **argv);

/* Of what the processes are that are started from now on: the image's name. Not copied. */
void title_about(const char *image);

/*
 * "NAME IMAGE" in the place of the words, which are overwritten, as much of it as fits; "NAME"
 * as the short name as well. The words of this process are gone then: to be called in a copy.
 */
void title_set(const char *name);

#endif
