/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * lines.h - the lines of a configuration file, one after the other.
 *
 * The one form that all files of firn's configuration have: sections in brackets, KEY = VALUE
 * lines, '#' comments on lines of their own, blanks at both ends of no matter. What the names mean
 * is for who asks (conf.c, and mpi-glue/profile.h).
 */
#ifndef FIRN_LIB_CONF_LINES_H
#define FIRN_LIB_CONF_LINES_H

#include "lib/err.h"

#include <stdbool.h>

/* A text that is being read. It is changed; what is told lies in it. */
struct conf_lines {
	const char *path; /* for messages */
	char *rest;	  /* what is left; NULL: nothing */
	int number;	  /* of the line that was told last, from 1 on */
	char *section;	  /* of a line "[SECTION]": that; else NULL */
	char *name, *value; /* of a line "NAME = VALUE"; else NULL */
};

/* Go on to the next line that says something. Returns 1, 0 at the end, or -1: it is neither. */
int conf_lines_next(struct conf_lines *lines, struct err *err);

/*
 * What is right where @value is as other languages have it, in quotes or with a comment behind it;
 * NULL: it is not. Static.
 */
const char *conf_lines_likely_meant(const char *value);

/*
 * The whole text of the open file @fd, a megabyte at most, new in @out and the caller's: if it may
 * be read (trust.h), as the site's or as one that a user named. Returns 0, or -1 with @err.
 */
int conf_lines_read(int fd, const char *path, bool site, char **out, struct err *err);

#endif
