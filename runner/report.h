/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * report.h - tell facts of an image: lines "name  value" for people, or the
 * members of one JSON object.
 *
 * Names are those of the JSON members; people read '_' as a blank. Texts come
 * from strangers: control characters are shown as \ooo.
 */
#ifndef FIRN_RUNNER_REPORT_H
#define FIRN_RUNNER_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Where to tell it. The caller writes the braces around a JSON object, and looks at errors of @out
 * in the end. */
struct report {
	FILE *out;
	bool json;
	bool begun; /* a member stands before */
	bool bare;  /* for people: values alone, without their names */
};

/* Nothing is told of a @text that is NULL or empty, nor of lists without items. */
void report_text(struct report *to, const char *name, const char *text);
void report_number(struct report *to, const char *name, uint64_t number);
/* Bytes, and the same in words for people. */
void report_size(struct report *to, const char *name, uint64_t size);
void report_flag(struct report *to, const char *name, bool value);
/* UTC, as 2024-12-31T23:59:59Z (RFC 3339). */
void report_time(struct report *to, const char *name, time_t when);
/* Words of a command: for people on one line, each in quotes so that blanks can be told. */
void report_words(struct report *to, const char *name, char *const *word);
/* Items of a list: for people, a line for each. */
void report_list(struct report *to, const char *name, char *const *item);
/* Files: for people their paths; in JSON objects with "path" and "text". Lists of one length. */
void report_files(struct report *to, const char *name, char *const *path, char *const *text);

#endif
