/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/log.h"

#include "lib/text.h"
#include "lib/wait.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

static enum log_level wanted = LOG_NORMAL;
static int64_t started_us;
static pthread_mutex_t writer_lock = PTHREAD_MUTEX_INITIALIZER; /* over the two that follow */
static void (*line_writer)(void *arg, const char *line, size_t len);
static void *line_writer_arg;
static atomic_bool has_writer; /* without one nobody waits for the lock */

void log_set_level(enum log_level level)
{
	wanted = level;
	if (level >= LOG_DEBUG && started_us == 0)
		started_us = wait_clock_us();
}

void log_set_writer(void (*writer)(void *arg, const char *line, size_t len), void *arg)
{
	(void)pthread_mutex_lock(&writer_lock);
	line_writer = writer;
	line_writer_arg = arg;
	atomic_store(&has_writer, writer != NULL);
	(void)pthread_mutex_unlock(&writer_lock);
}

static bool hand_over(const char *line, size_t len)
{
	bool taken = false;

	if (!atomic_load(&has_writer))
		return false;
	(void)pthread_mutex_lock(&writer_lock);
	taken = line_writer != NULL;
	if (taken)
		line_writer(line_writer_arg, line, len);
	(void)pthread_mutex_unlock(&writer_lock);
	return taken;
}

enum log_level log_level(void)
{
	return wanted;
}

/* One write per line: pipes keep writes up to PIPE_BUF whole. @line has room for a newline. */
static void put(char *line)
{
	size_t len;

	text_tame(line);
	len = strlen(line);
	line[len++] = '\n';
	if (!hand_over(line, len) && write(STDERR_FILENO, line, len) < 0)
		return; /* no standard error, no message */
}

void log_relay(const char *line)
{
	char copy[LINE_SIZE];

	(void)snprintf(copy, sizeof(copy) - 1, "%s", line);
	put(copy);
}

static void say(const char *prefix, const char *format, va_list args)
{
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "firn: %s", prefix);

	(void)vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	put(line);
}

#define SAY(level, prefix)                                                                         \
	do {                                                                                       \
		va_list args;                                                                      \
                                                                                                   \
		if (wanted < (level))                                                              \
			return;                                                                    \
		va_start(args, format);                                                            \
		say(prefix, format, args);                                                         \
		va_end(args);                                                                      \
	} while (0)

void log_error(const char *format, ...)
{
	SAY(LOG_QUIET, "");
}

void log_warning(const char *format, ...)
{
	SAY(LOG_NORMAL, "warning: ");
}

void log_note(const char *format, ...)
{
	SAY(LOG_NORMAL, "");
}

void log_info(const char *format, ...)
{
	SAY(LOG_VERBOSE, "");
}

void log_debug(const char *format, ...)
{
	char stamp[32];

	if (wanted < LOG_DEBUG)
		return;
	(void)snprintf(stamp, sizeof(stamp), "[%lld us] ",
		       (long long)(wait_clock_us() - started_us));
	SAY(LOG_DEBUG, stamp);
}
