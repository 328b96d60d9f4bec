/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * err.h - one failure, one sentence.
 *
 * A struct err lives on the caller's stack and is passed last. A function that
 * can fail fills it and returns -1; otherwise it leaves it alone. The lowest
 * function words the cause, a caller adds its aim only where that tells the
 * user something new. Nothing is allocated, so that "no memory" can be said, too.
 */
#ifndef FIRN_LIB_ERR_H
#define FIRN_LIB_ERR_H

#include <stdbool.h>

enum {
	ERR_TEXT_SIZE = 512,

	/* Exit statuses, the same as env(1), nohup(1) and the container runners use. */
	EXIT_FIRN_FAILED = 125,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

/* Needs no beginning: it holds something once a function has returned -1, and not before. */
struct err {
	int code;                 /* an errno value, or 0 when no system call failed */
	int status;               /* the exit status to end with; 0 stands for EXIT_FIRN_FAILED */
	char text[ERR_TEXT_SIZE]; /* one line: lower case, no full stop, names in single quotes */
};

/* Fill @err with the formatted text. Control characters in it become '?' (lib/text.h): it stays one
 * line. Returns -1. */
int err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": " and the meaning of errno appended, and errno kept in code. Returns -1. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an errno value at hand. Returns -1. */
int err_code(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set(), with @code of what an answer means that no system call gave. Returns -1. */
int err_answer(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the cause is a full disk or a quota: then what was being read has no part in it, and its
 * name is no help. */
bool err_is_full(const struct err *err);

/* Put an aim before the cause: "aim: cause". Returns -1. */
int err_aim(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
