/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/apart.h"

#include "lib/cage/seccomp.h"
#include "lib/log.h"
#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MEMORY = 256 << 20 };

struct gain {
	int number;
	char text[100000]; /* more than a pipe holds */
};

static int gives(void *arg, void *out, struct err *err)
{
	struct gain *gain = out;

	(void)err;
	gain->number = *(int *)arg;
	memset(gain->text, 'x', sizeof(gain->text));
	return 0;
}

static int fails(void *arg, void *out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err_set(err, "it is wrong");
	err->text[2] = '\033'; /* by a process that does not keep to rules */
	err->status = 7;
	return -1;
}

static int crashes(void *arg, void *out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	__builtin_trap();
}

static int leaves(void *arg, void *out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	_exit(0);
}

/* What of the world is still there: @arg is a descriptor that was not named. */
static int looks_round(void *arg, void *out, struct err *err)
{
	struct gain *gain = out;
	char byte;

	(void)err;
	gain->number = (read(*(int *)arg, &byte, 1) >= 0) + 2 * (getenv("HOME") != NULL) +
		       4 * (write(STDERR_FILENO, "", 0) == 0 && write(STDOUT_FILENO, "", 0) == 0);
	return 0;
}

static int asked;

static bool answer(void *arg)
{
	char byte = 0;

	asked += read(*(int *)arg, &byte, 1) == 1 && byte == '?';
	if (write(*(int *)arg, "!", 1) != 1)
		asked = 100;
	return true;
}

static int called;

static bool hear_nothing(void *arg)
{
	char byte;

	called++;
	return read(*(int *)arg, &byte, 1) > 0;
}

/* It says no more, and goes on. */
static int falls_silent(void *arg, void *out, struct err *err)
{
	struct gain *gain = out;

	(void)err;
	(void)close(((int *)arg)[1]);
	for (gain->number = 0; gain->number < 200000000; gain->number++)
		__asm__ volatile("");
	return 0;
}

static int asks(void *arg, void *out, struct err *err)
{
	struct gain *gain = out;
	int socket = ((int *)arg)[1];
	char byte = 0;

	for (gain->number = 0; gain->number < 3; gain->number++)
		if (write(socket, "?", 1) != 1 || read(socket, &byte, 1) != 1 || byte != '!')
			return err_set(err, "no answer");
	return 0;
}

static void close_ours(void *arg)
{
	(void)close(((int *)arg)[1]);
}

static struct apart plan(int (*work)(void *, void *, struct err *), void *arg, struct gain *gain)
{
	return (struct apart){.what = "it",
			      .cage = cage_of_reader(MEMORY, false),
			      .work = work,
			      .arg = arg,
			      .out = gain,
			      .size = sizeof(*gain)};
}

static void what_comes_back(void)
{
	static struct gain gain;
	int number = 42;
	struct apart apart = plan(gives, &number, &gain);
	struct err err;

	ok(apart_run(&apart, &err) == 0 && gain.number == 42 &&
		   gain.text[sizeof(gain.text) - 1] == 'x',
	   "what the work gives comes back whole");
	apart = plan(fails, NULL, &gain);
	ok(apart_run(&apart, &err) == -1 && strcmp(err.text, "it?is wrong") == 0,
	   "so does its error, made harmless (%s)", err.text);
	ok(err.status == 0, "which does not choose any exit status");
	apart = plan(crashes, NULL, &gain);
	ok(apart_run(&apart, &err) == -1 && strncmp(err.text, "'it' cannot be read: ", 21) == 0,
	   "a crash is an error (%s)", err.text);
	apart = plan(leaves, NULL, &gain);
	ok(apart_run(&apart, &err) == -1 && strncmp(err.text, "'it' cannot be read: ", 21) == 0,
	   "so is an end without a word (%s)", err.text);
	ok(waitpid(-1, NULL, WNOHANG) == -1, "no process is left");
}

static void what_it_has(void)
{
	static struct gain gain;
	int pair[2];
	struct apart apart;
	struct err err;

	(void)setenv("HOME", "/secret", 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return;
	apart = plan(looks_round, &pair[1], &gain);
	ok(apart_run(&apart, &err) == 0 && gain.number == 0,
	   "no descriptor, no environment, no terminal (%d)", gain.number);
	apart = plan(asks, pair, &gain);
	apart.keep[0] = pair[1];
	apart.keep_count = 1;
	apart.asks = pair[0];
	apart.answer = answer;
	ok(apart_run(&apart, &err) == 0 && gain.number == 3 && asked == 3,
	   "but what it was given, and answers");
	apart = plan(falls_silent, pair, &gain);
	apart.keep[0] = pair[1];
	apart.keep_count = 1;
	apart.begun = close_ours;
	apart.asks = pair[0];
	apart.answer = hear_nothing;
	ok(apart_run(&apart, &err) == 0 && called == 1, "an end of questions is heard once (%d)",
	   called);
}

/* As somebody does who would have our user do something. */
static int shouts(void *arg, void *out, struct err *err)
{
	static const char lines[] = "firn: warning: run this\n\001wdo that\n\001eyou must\n";

	(void)arg, (void)out, (void)err;
	log_warning("a word");
	for (int i = 0; i < 5000; i++)
		if (write(STDERR_FILENO, lines, sizeof(lines) - 1) < 0)
			return -1;
	return 0;
}

/* How many lines @work says at @level: *@ours have the name in front. */
static int count_lines(enum log_level level, int *ours)
{
	static struct gain gain;
	struct apart apart = plan(shouts, NULL, &gain);
	int saved = dup(STDERR_FILENO), lines = 0;
	FILE *file = tmpfile();
	char line[3000];
	struct err err;

	*ours = 0;
	apart.speaks = true;
	log_set_level(level);
	if (saved < 0 || !file || dup2(fileno(file), STDERR_FILENO) < 0)
		return -1;
	(void)apart_run(&apart, &err);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	log_set_level(LOG_NORMAL);
	rewind(file);
	for (; fgets(line, sizeof(line), file); lines++)
		*ours += strncmp(line, "firn: 'it': ", 12) == 0 ||
			 strncmp(line, "firn: warning: 'it': ", 21) == 0;
	(void)fclose(file);
	return lines;
}

/* A kernel that has Landlock takes 16 layers of it, and no more. */
static int in_many_layers(void)
{
	static const uint64_t rights[] = {1 << 12}; /* to make symlinks; nobody does here */
	static struct gain gain;
	int number = 1, lines = 0, result;
	struct apart apart = plan(gives, &number, &gain);
	FILE *file = tmpfile();
	char line[3000];
	struct err err;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int i = 0; i < 16; i++) {
		int fd = (int)syscall(444, rights, sizeof(rights), 0);

		if (fd < 0 || syscall(446, fd, 0) != 0 || close(fd) != 0)
			return 100;
	}
	if (!file || dup2(fileno(file), STDERR_FILENO) < 0)
		return 101;
	log_set_level(LOG_VERBOSE);
	apart.speaks = false;
	result = apart_run(&apart, &err);
	apart.speaks = true;
	result |= apart_run(&apart, &err);
	rewind(file);
	while (fgets(line, sizeof(line), file))
		lines += strncmp(line, "firn: 'it': cannot use Landlock: ", 33) == 0;
	apart.cage.require = true;
	return result != 0 ? 102 : apart_run(&apart, &err) == 0 ? 103 : lines;
}

static void what_is_lost_is_told(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(in_many_layers());
	(void)waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 2,
	   "where Landlock is there, and refused, it says so, or is an error (%d)",
	   WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void what_it_says(void)
{
	int ours, lines = count_lines(LOG_QUIET, &ours);

	ok(lines == 0 || cage_is_sanitized(), "it says nothing where nothing is to be said (%d)",
	   lines);
	lines = count_lines(LOG_NORMAL, &ours);
	ok(lines > 100 && lines <= 1001 && ours == lines,
	   "else not too much, with the name of what it reads (%d, %d)", lines, ours);
	lines = count_lines(LOG_VERBOSE, &ours);
	ok(lines > 1001 && lines <= 20001 && ours == lines, "more to who wants it (%d, %d)", lines,
	   ours);
}

int main(void)
{
	what_comes_back();
	what_it_has();
	if (!cage_is_sanitized())
		what_it_says();
	if (cage_landlock() > 0)
		what_is_lost_is_told();
	return done_testing();
}
