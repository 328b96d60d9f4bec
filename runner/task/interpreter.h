/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * interpreter.h - which program a file wants to be run by, for messages.
 *
 * execve(2) says ENOENT of a file that is there when its interpreter is not: what stands behind
 * "#!" (execve(2), "Interpreter scripts"), or the loader that an ELF file names (elf(5),
 * PT_INTERP). Both are read from the file as the kernel does, and as far; nothing is run or
 * trusted.
 */
#ifndef FIRN_RUNNER_TASK_INTERPRETER_H
#define FIRN_RUNNER_TASK_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

enum { INTERPRETER_SIZE = 256 }; /* BINPRM_BUF_SIZE: as much as the kernel reads of a script */

/* Put the name of the interpreter of @path into @out; false where it names none. */
bool interpreter_of(const char *path, char out[INTERPRETER_SIZE]);

#endif
