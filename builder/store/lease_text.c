/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/lease_private.h"

#include "lib/file.h"
#include "lib/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_boot(char out[LEASE_BOOT_SIZE])
{
	auto_fd fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, LEASE_BOOT_SIZE - 1);

	out[got > 0 ? got : 0] = '\0';
	out[strcspn(out, " \n")] = '\0';
}

/*
 * proc_pid_stat(5): (3) the state, (22) the start in ticks since boot; behind a name in brackets
 * that may hold anything. Returns false where there is no telling.
 */
static bool read_stat(long pid, char *state, unsigned long long *start)
{
	char path[40], text[1024];
	const char *close;
	ssize_t got;
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return false;
	text[got] = '\0';
	close = strrchr(text, ')');
	return close && sscanf(close + 1,
			       " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			       "%*d %*d %*d %llu",
			       state, start) == 2;
}

static unsigned long long pid_space(void)
{
	struct stat stat_;

	return stat("/proc/self/ns/pid", &stat_) == 0 ? stat_.st_ino : 0;
}

void lease_process_self(struct lease_process *out)
{
	char state;

	*out = (struct lease_process){.pid = getpid(), .pid_space = pid_space()};
	read_boot(out->boot);
	if (!read_stat(out->pid, &state, &out->start))
		out->start = 0;
}

bool lease_process_is_here(const struct lease_process *process)
{
	char boot[LEASE_BOOT_SIZE];

	read_boot(boot);
	return process->pid > 0 && *boot && strcmp(boot, process->boot) == 0 &&
	       process->pid_space && process->pid_space == pid_space();
}

bool lease_process_is_gone(const struct lease_process *process)
{
	unsigned long long start;
	char state;

	if (!lease_process_is_here(process))
		return false;
	if (kill((pid_t)process->pid, 0) < 0 && errno == ESRCH)
		return true;
	if (!read_stat(process->pid, &state, &start))
		return false;
	return state == 'Z' || state == 'X' || (process->start && start != process->start);
}

size_t lease_text_print(const struct lease_process *process, const struct lease_holder *holder,
			const char *token, unsigned long beat, char out[LEASE_TEXT_SIZE])
{
	return (size_t)snprintf(
		out, LEASE_TEXT_SIZE,
		"firn lease 1\ntoken %s\nhost %s\nboot %s\nspace %llu\npid %ld\nstart %llu\n"
		"beat %020lu\ndone %3u\nwhat %s\n",
		token, holder->host, process->boot, process->pid_space, process->pid,
		process->start, beat, holder->percent, holder->what);
}

/* A word of @line behind @key, cut to @size; false: the line is about something else. */
static bool take_text(const char *line, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != ' ')
		return false;
	(void)snprintf(out, size, "%s", line + len + 1);
	text_tame(out);
	return true;
}

static void take_line(const char *line, struct lease_process *process, struct lease_holder *holder)
{
	unsigned percent;

	if (take_text(line, "token", holder->token, sizeof(holder->token)) ||
	    take_text(line, "host", holder->host, sizeof(holder->host)) ||
	    take_text(line, "what", holder->what, sizeof(holder->what)) ||
	    take_text(line, "boot", process->boot, sizeof(process->boot)))
		return;
	if (sscanf(line, "pid %ld", &holder->pid) == 1)
		process->pid = holder->pid;
	else if (sscanf(line, "done %3u", &percent) == 1)
		holder->percent = percent < 100 ? percent : 100;
	else if (sscanf(line, "start %llu", &process->start) != 1)
		(void)sscanf(line, "space %llu", &process->pid_space);
}

void lease_text_parse(char *text, size_t size, struct lease_process *process,
		      struct lease_holder *holder)
{
	static const char head[] = "firn lease 1\n";
	char *rest = text, *line;

	*process = (struct lease_process){.pid = 0};
	*holder = (struct lease_holder){.pid = 0};
	if (strncmp(text, head, sizeof(head) - 1) != 0 || memchr(text, '\0', size))
		return;
	while ((line = strsep(&rest, "\n")))
		take_line(line, process, holder);
	if (holder->pid < 0)
		holder->pid = process->pid = 0;
}
