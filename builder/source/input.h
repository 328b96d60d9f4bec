/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * input.h - a file that an image is made of, whatever it comes through.
 *
 * Archives are read by place, in several threads. A pipe ("docker save X | firn build
 * x.sqfs -") is therefore first copied to a temporary file without a name, of at most
 * firn.conf's [build] max-size bytes.
 */
#ifndef FIRN_BUILDER_SOURCE_INPUT_H
#define FIRN_BUILDER_SOURCE_INPUT_H

#include "builder/tar/layer.h"

struct input {
	int fd; /* can be read from any place */
	int room; /* an empty file without a name, for it unpacked; -1: none */
	uint64_t size;
	char *name; /* for messages */
};

/*
 * Open @path: a regular file, a pipe, a FIFO or a socket; "-", "/dev/stdin" and the like are
 * standard input, from where it stands. Waits until all of a pipe has come.
 */
int input_open(const char *path, const struct limits *limits, struct input **out, struct err *err);

/* All that comes from @fd, which is borrowed, until it ends; @name is copied. */
int input_spool(int fd, const char *name, const struct limits *limits, struct input **out,
		struct err *err);

void input_free(struct input *input);
void input_freep(struct input **input);
#define auto_input CLEANUP(input_freep) struct input

/* Is this another name for standard input? */
bool input_is_standard(const char *path);

/*
 * "PATH[:NAME]": the path, to be freed, and what is behind it (in @text) or NULL. The shortest
 * path that exists counts, for names have colons as well; a path as a whole goes before.
 */
char *input_split(const char *text, const char **name);

#endif
