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
static bool relays;
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

void log_to_relay(void)
{
	relays = true;
}

/* What a line is, in one letter behind RELAY_MARK, which is in no text that was tamed. */
enum { RELAY_MARK = 1, ERROR = 'e', WARNING = 'w', NOTE = 'n', INFO = 'i', DEBUG = 'd' };

static void say_relayed(char kind, char *line)
{
	char marked[LINE_SIZE + 2];
	size_t len;

	text_tame(line);
	len = (size_t)snprintf(marked, sizeof(marked), "%c%c%s\n", RELAY_MARK, kind, line);
	if (write(STDERR_FILENO, marked, len) < 0)
		return;
}

static void say(char kind, const char *prefix, const char *format, va_list args)
{
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "%s%s%s",
			    relays ? "" : "firn: ", kind == WARNING && !relays ? "warning: " : "",
			    prefix);

	(void)vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	if (relays)
		say_relayed(kind, line);
	else
		put(line);
}

#define SAY(level, kind, prefix)                                                                   \
	do {                                                                                       \
		va_list args;                                                                      \
                                                                                                   \
		if (wanted < (level))                                                              \
			return;                                                                    \
		va_start(args, format);                                                            \
		say(kind, prefix, format, args);                                                   \
		va_end(args);                                                                      \
	} while (0)

void log_error(const char *format, ...)
{
	SAY(LOG_QUIET, ERROR, "");
}

void log_warning(const char *format, ...)
{
	SAY(LOG_NORMAL, WARNING, "");
}

void log_note(const char *format, ...)
{
	SAY(LOG_NORMAL, NOTE, "");
}

void log_info(const char *format, ...)
{
	SAY(LOG_VERBOSE, INFO, "");
}

void log_debug(const char *format, ...)
{
	char stamp[32];

	if (wanted < LOG_DEBUG)
		return;
	(void)snprintf(stamp, sizeof(stamp), "[%lld us] ",
		       (long long)(wait_clock_us() - started_us));
	SAY(LOG_DEBUG, DEBUG, stamp);
}

void log_relay(const char *source, const char *line)
{
	char kind = line[0] == RELAY_MARK ? line[1] : INFO;
	const char *text = line[0] == RELAY_MARK && line[1] ? line + 2 : line;

	if (kind == WARNING)
		log_warning("'%s': %s", source, text);
	else if (kind == NOTE || kind == ERROR)
		log_note("'%s': %s", source, text);
	else if (wanted >= (kind == DEBUG ? LOG_DEBUG : LOG_VERBOSE))
		log_note("'%s': %s", source, text);
}
