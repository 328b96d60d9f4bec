/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * prompt.h - what shows in an interactive shell that it is inside.
 *
 * A shell takes PS1 from its environment until a start file sets it. Debian's and Ubuntu's start
 * files, /etc/bash.bashrc and what users have from /etc/skel, set it, and show what the variable
 * debian_chroot holds; that is what it is for. Others' start files have the last word.
 */
#ifndef FIRN_RUNNER_PLAN_PROMPT_H
#define FIRN_RUNNER_PLAN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_NAME_SIZE = 40 };

/*
 * "firn NAME" for the image at @path: its file's name without its end. Shells expand a prompt:
 * but for letters, digits and . _ + - each byte becomes '_'.
 */
void prompt_name(const char *path, char out[PROMPT_NAME_SIZE]);

/*
 * PS1's value, "[firn NAME] " before @old, that of the host, or before "$ " or root's "# " where
 * there is none. A new string, or NULL without memory.
 */
char *prompt_make(const char *path, const char *old, bool is_root);

#endif
