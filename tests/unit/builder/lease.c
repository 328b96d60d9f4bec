/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/lease_private.h"

#include "tests/unit/tap.h"

#include "lib/wait.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { DEAD_MS = 300, RACERS = 24 };

static const struct lease_terms terms = {.beat_ms = 30, .dead_ms = DEAD_MS};
static char scratch[] = "/tmp/firn-lease.XXXXXX";
static int folder;
static struct err err;
static struct lease_holder holder;

static void put(const void *data, size_t size)
{
	auto_fd fd = openat(folder, "it.1", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		exit(2);
}

/* A lease as another machine's holder has it. */
static void put_others(unsigned long beat)
{
	struct lease_process process = {.boot = "another boot", .pid_space = 1, .pid = 7};
	struct lease_holder who = {.host = "node17", .what = "x/y:1", .percent = 42};
	char text[LEASE_TEXT_SIZE];

	put(text, lease_text_print(&process, &who, "0123456789abcdef0123456789abcdef", beat, text));
}

static int try_it(struct lease_watch *watch, struct lease **out)
{
	return lease_try(folder, "it", "x/y:1", &terms, watch, out, &holder, &err);
}

/* How long it takes until the lease is ours, in milliseconds; -1 when it is not in @most. */
static long long wait_for_it(long long most)
{
	struct lease_watch watch = {.size = 0};
	long long begin = wait_clock_ms();
	struct lease *lease = NULL;

	while (wait_clock_ms() - begin < most) {
		int result = try_it(&watch, &lease);

		if (result != 0) {
			lease_end(lease);
			return result < 0 ? -2 : wait_clock_ms() - begin;
		}
		(void)poll(NULL, 0, 5);
	}
	return -1;
}

static bool is_empty(void)
{
	auto_dir *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count++;
	return count == 2;
}

static unsigned percent(void *arg)
{
	return *(unsigned *)arg;
}

static void one_has_it(void)
{
	struct lease_watch watch = {.size = 0}, others = {.size = 0};
	struct lease *lease = NULL, *second = NULL;
	unsigned done = 57;

	ok(try_it(&watch, &lease) == 1, "a free lease is taken");
	ok(strlen(lease_token(lease)) == 32, "its holder has a token");
	ok(try_it(&others, &second) == 0 && !second, "another does not get it");
	ok(holder.pid == getpid() && strcmp(holder.what, "x/y:1") == 0 && *holder.host,
	   "and is told who has it");
	lease_beat(lease, percent, &done);
	(void)poll(NULL, 0, 2 * DEAD_MS);
	ok(try_it(&others, &second) == 0 && holder.percent == 57, "as long as it beats");
	ok(lease_holds(lease), "the holder knows");
	lease_calm(lease);
	done = 0;
	(void)poll(NULL, 0, 2 * DEAD_MS);
	ok(try_it(&others, &second) == 0 && holder.percent == 57, "without a percentage, too");
	lease_end(lease);
	ok(is_empty(), "nothing is left of it");
	ok(try_it(&others, &second) == 1, "and it is free");
	lease_end(second);
}

static void the_dead_are_found_out(void)
{
	struct lease_watch watch = {.size = 0};
	struct lease *lease = NULL;
	long long took;
	pid_t child;

	put_others(1);
	took = wait_for_it(5 * DEAD_MS);
	ok(took >= DEAD_MS && took < 3 * DEAD_MS, "another machine's that stands still: %lld ms",
	   took);
	put_others(1);
	ok(try_it(&watch, &lease) == 0 && strcmp(holder.host, "node17") == 0 && holder.pid == 7 &&
		   holder.percent == 42,
	   "who that is can be told");
	for (unsigned beat = 2; beat < 8; beat++) {
		(void)poll(NULL, 0, DEAD_MS / 2);
		put_others(beat);
		ok(try_it(&watch, &lease) == 0, "one whose number grows lives");
	}
	(void)unlinkat(folder, "it.1", 0);
	child = fork();
	if (child == 0) {
		(void)try_it(&watch, &lease);
		(void)raise(SIGKILL);
	}
	(void)waitpid(child, NULL, 0);
	took = wait_for_it(DEAD_MS);
	ok(took >= 0 && took < DEAD_MS / 2, "a killed process of this machine: at once");
	ok(is_empty(), "nothing is left");
}

static void stand_for_nobody(const char *what)
{
	long long took = wait_for_it(5 * DEAD_MS);

	ok(took >= DEAD_MS && took < 3 * DEAD_MS, "%s is taken over in time: %lld ms", what, took);
	ok(is_empty(), "and gone");
}

static void hostile_files_hold_nobody_up(void)
{
	static char noise[3000];
	auto_fd fd = -1;

	put("", 0);
	stand_for_nobody("an empty file");
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 7);
	put(noise, sizeof(noise));
	stand_for_nobody("a binary one");
	put("firn lease 1\npid -5\nstart 99999999999999999999999\nhost \033[2J\n", 60);
	stand_for_nobody("one that lies");
	ok(!strchr(holder.host, '\033'), "no terminal obeys it");
	put("", 0);
	fd = openat(folder, "it.1", O_WRONLY | O_CLOEXEC);
	(void)!ftruncate(fd, (off_t)1 << 40);
	stand_for_nobody("a huge one");
	(void)!symlinkat("/etc/passwd", folder, "it.1");
	stand_for_nobody("a link");
	(void)!symlinkat("nowhere", folder, "it.1");
	stand_for_nobody("a link to nowhere");
	(void)mkdirat(folder, "it.1", 0700);
	stand_for_nobody("a directory");
	(void)mkfifoat(folder, "it.1", 0600);
	stand_for_nobody("a pipe");
}

/* A process whose number exists, but was started at another time, or in another boot. */
static void numbers_are_used_again(void)
{
	struct lease_process self, other;

	lease_process_self(&self);
	ok(!lease_process_is_gone(&self), "this process is there");
	other = self;
	other.start++;
	ok(lease_process_is_gone(&other), "one of the same number and another start is gone");
	(void)snprintf(other.boot, sizeof(other.boot), "x");
	ok(!lease_process_is_gone(&other), "of another boot nothing is known");
	other = self;
	other.start++;
	other.pid_space++;
	ok(!lease_process_is_gone(&other), "nor of another pid namespace");
}

static void a_holder_notices(void)
{
	struct lease_watch watch = {.size = 0};
	struct lease *lease = NULL;
	struct stat stat;

	(void)try_it(&watch, &lease);
	(void)unlinkat(folder, "it.1", 0);
	put_others(1);
	ok(!lease_holds(lease), "that another has it now");
	lease_end(lease);
	ok(fstatat(folder, "it.1", &stat, 0) == 0, "and leaves it to him");
	(void)unlinkat(folder, "it.1", 0);
}

static void a_failure_is_told(void)
{
	struct lease_watch watch = {.size = 0};
	struct lease *lease = NULL;
	struct err why, told;
	char token[LEASE_TOKEN_SIZE];

	(void)try_it(&watch, &lease);
	(void)snprintf(token, sizeof(token), "%s", lease_token(lease));
	ok(!lease_failure(folder, "it", token, &told), "no failure yet");
	(void)err_set(&why, "no such image");
	lease_fail(lease, &why);
	lease_end(lease);
	ok(lease_failure(folder, "it", token, &told) == 1 &&
		   strcmp(told.text, "no such image") == 0,
	   "to those who waited for that holder");
	token[0] = token[0] == '0' ? '1' : '0';
	ok(!lease_failure(folder, "it", token, &told), "and to nobody else");
	ok(!lease_failure(folder, "it", "", &told), "nor to who waited for nobody");
	(void)try_it(&watch, &lease);
	lease_fail(lease, NULL);
	lease_end(lease);
	ok(is_empty(), "it is forgotten when the work is done");
}

/* Returns 0 if nobody else believed to have it at the same time. */
static int race(bool die)
{
	struct lease_watch watch = {.size = 0};
	struct lease *lease = NULL;
	int mark;

	while (try_it(&watch, &lease) == 0)
		(void)poll(NULL, 0, 2);
	mark = openat(folder, "mark", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!lease || mark < 0)
		return 1;
	(void)poll(NULL, 0, 5);
	(void)unlinkat(folder, "mark", 0);
	if (die)
		(void)raise(SIGKILL);
	lease_end(lease);
	return 0;
}

static void never_two_at_once(void)
{
	pid_t child[RACERS];
	int bad = 0, dead = 0, status;

	put_others(1); /* all judge it dead at about the same time */
	for (int i = 0; i < RACERS; i++) {
		child[i] = fork();
		if (child[i] == 0)
			_exit(race(i % 3 == 0));
	}
	for (int i = 0; i < RACERS; i++) {
		(void)waitpid(child[i], &status, 0);
		bad += WIFEXITED(status) && WEXITSTATUS(status) != 0;
		dead += WIFSIGNALED(status);
	}
	ok(bad == 0, "%d of %d had it while another did", bad, RACERS);
	ok(dead == (RACERS + 2) / 3, "though %d died with it", dead);
	(void)wait_for_it(DEAD_MS);
	ok(is_empty(), "nothing is left");
}

int main(void)
{
	if (!mkdtemp(scratch) || (folder = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 2;
	one_has_it();
	the_dead_are_found_out();
	hostile_files_hold_nobody_up();
	numbers_are_used_again();
	a_holder_notices();
	a_failure_is_told();
	never_two_at_once();
	(void)rmdir(scratch);
	return done_testing();
}
