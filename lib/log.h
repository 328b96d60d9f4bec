/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * log.h - what firn says beside its errors.
 *
 * Lines go to standard error, each with "firn: " in front and in one write, so
 * that lines of many ranks do not mix. Control characters in them are shown as
 * '?' (lib/text.h), and what is longer than 2 KiB is cut. Any thread may say
 * something. That there is no standard error is no error. The level, its clock and the
 * writer are what a program has of globals.
 */
#ifndef FIRN_LIB_LOG_H
#define FIRN_LIB_LOG_H

#include <stddef.h>

enum log_level {
	LOG_QUIET = -1, /* -q: errors only */
	LOG_NORMAL = 0, /* warnings and notes */
	LOG_VERBOSE,    /* -v: what was decided for the user, one line each */
	LOG_DEBUG,      /* -vv: each room's decisions, with the time since the start */
};

/* What is above @level is dropped, at little cost. LOG_DEBUG starts the clock that its lines show.
 */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/*
 * Who has drawn on the terminal writes the lines itself: @line with its newline, @len bytes. NULL:
 * nobody. It says nothing itself. When this returns the one before is in no thread any more.
 */
void log_set_writer(void (*writer)(void *arg, const char *line, size_t len), void *arg);

/*
 * Whose standard error goes to another process of ours: each line from here on begins with what it
 * is, for log_relay() there.
 */
void log_to_relay(void);
/*
 * A line of such a process, which reads @source and may be anybody's by now: it is said as ours
 * are, if its level is wanted here, with the source's name in front. It is no error, whatever it
 * says: those are told otherwise. What stands there beside, of libraries, is said with LOG_VERBOSE.
 */
void log_relay(const char *source, const char *line);

/* "firn: TEXT", at every level. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "firn: TEXT", but with -q: what was decided where something else might have been meant. */
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "firn: warning: TEXT"; says what happens instead. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "firn: TEXT" from LOG_VERBOSE on; the second with LOG_DEBUG only, and the microseconds since. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
