/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/apart.h"

#include "lib/cage/close.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

extern char **environ;

enum {
	LINE_MAX_SIZE = 2048,
	LINES_MAX = 1000, /* that one process says */
	LINES_MAX_VERBOSE = 20000,
};

/* What comes first of what the process gives back; then the bytes. */
struct verdict {
	int result;
	struct err err;
	char said[256]; /* a line of log_info(), if it has no other way */
};

/* The process, from here: the ends of two pipes. */
struct child {
	pid_t pid;
	int result, words;
	struct verdict verdict;
	size_t got; /* bytes of verdict and @out */
	char line[LINE_MAX_SIZE];
	size_t len; /* of line[], so far */
	size_t lines;
};

/* A handler of ours removes files, or draws; what is ignored stays so. */
static void forget_handlers(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	struct sigaction now;

	for (size_t i = 0; i < COUNT_OF(signals); i++)
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)signal(signals[i], SIG_DFL);
}

static void forget_environment(void)
{
	for (char **word = environ; word && *word; word++)
		explicit_bzero(*word, strlen(*word));
	environ = NULL;
}

/* Standard error becomes @words; without them the numbers of all three stay free. */
static int settle_descriptors(struct apart *apart, int result, int words)
{
	int keep[APART_KEEP_MAX + 1];

	memcpy(keep, apart->keep, sizeof(apart->keep));
	keep[apart->keep_count] = result;
	if (words >= 0 && (dup2(words, STDIN_FILENO) < 0 || dup2(words, STDOUT_FILENO) < 0 ||
			   dup2(words, STDERR_FILENO) < 0))
		return -1;
	return close_others(words >= 0 ? STDERR_FILENO + 1 : 0, keep, apart->keep_count + 1);
}

static void keep_first(void *arg, const char *line, size_t len)
{
	struct verdict *verdict = arg;

	if (!verdict->said[0])
		(void)snprintf(verdict->said, sizeof(verdict->said), "%.*s", (int)len, line);
}

static int enter(struct apart *apart, int result, int words, pid_t parent, struct verdict *verdict)
{
	struct err *err = &verdict->err;

	log_set_writer(words < 0 ? keep_first : NULL, verdict);
	if (words >= 0)
		log_to_relay();
	forget_handlers();
	forget_environment();
	if (settle_descriptors(apart, result, words) < 0)
		return err_sys(err, "cannot close what is open");
	if (cage_enter(&apart->cage, err) < 0)
		return -1;
	/* To change credentials, as entering the cage does, may take it back: so behind it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return err_set(err, "who started it has ended");
	return cage_close(&apart->cage, err);
}

/* At once as far as the pipe has room: whoever waits is woken once. */
static void tell(int result, const struct verdict *verdict, const void *out, size_t size)
{
	struct iovec part[] = {{(void *)verdict, sizeof(*verdict)}, {(void *)out, size}};
	ssize_t n = writev(result, part, verdict->result == 0 ? 2 : 1);
	size_t done = n > (ssize_t)sizeof(*verdict) ? (size_t)n - sizeof(*verdict) : 0;

	if (n >= (ssize_t)sizeof(*verdict) && verdict->result == 0)
		(void)file_write_all(result, (const char *)out + done, size - done);
}

static _Noreturn void be_apart(struct apart *apart, int result, int words, pid_t parent)
{
	struct verdict verdict = {.result = -1};

	if (enter(apart, result, words, parent, &verdict) == 0 &&
	    (!apart_test_hook || apart_test_hook(apart, &verdict.err) == 0))
		verdict.result = apart->work(apart->arg, apart->out, &verdict.err);
	tell(result, &verdict, apart->out, apart->size);
	_exit(0);
}

static int start(struct apart *apart, struct child *child, struct err *err)
{
	int result[2] = {-1, -1}, words[2] = {-1, -1};
	pid_t self = getpid();

	if (pipe2(result, O_CLOEXEC) < 0 || (apart->speaks && pipe2(words, O_CLOEXEC) < 0) ||
	    (child->pid = fork()) < 0) {
		(void)err_sys(err, "cannot start a process to read '%s'", apart->what);
		own_close(&result[0]);
		own_close(&result[1]);
		own_close(&words[0]);
		own_close(&words[1]);
		return -1;
	}
	if (child->pid == 0)
		be_apart(apart, result[1], words[1], self);
	(void)close(result[1]);
	own_close(&words[1]);
	child->result = result[0];
	child->words = words[0];
	return 0;
}

/* Who has taken over the process can say what he likes, but not without end. */
static void say_line(const struct apart *apart, struct child *child)
{
	size_t max = log_level() >= LOG_VERBOSE ? LINES_MAX_VERBOSE : LINES_MAX;

	child->line[child->len] = 0;
	child->len = 0;
	if (cage_is_sanitized() && child->line[0] != 1)
		log_error("%s", child->line);
	else if (child->lines < max)
		log_relay(apart->what, child->line);
	else if (child->lines == max)
		log_warning("'%s': more is said of it, which is left out", apart->what);
	child->lines++;
}

/* Returns false at the end. */
static bool take_words(const struct apart *apart, struct child *child)
{
	char text[1024];
	ssize_t n = read(child->words, text, sizeof(text));

	if (n < 0)
		return errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			say_line(apart, child);
		else if (child->len < sizeof(child->line) - 1)
			child->line[child->len++] = text[i];
	}
	if (n == 0 && child->len > 0)
		say_line(apart, child);
	return n > 0;
}

/* First the verdict, then what belongs to it; more than that is of no interest. */
static bool take_result(struct apart *apart, struct child *child)
{
	size_t head = child->got < sizeof(child->verdict) ? child->got : sizeof(child->verdict);
	size_t body = child->got - head;
	struct iovec part[] = {{(char *)&child->verdict + head, sizeof(child->verdict) - head},
			       {(char *)apart->out + body, apart->size - body}};
	ssize_t n = readv(child->result, part, COUNT_OF(part));

	if (n < 0)
		return errno == EINTR;
	child->got += (size_t)n;
	return n > 0;
}

/* Until the process has closed both pipes, which it does by its end at the latest. */
static void listen_to(struct apart *apart, struct child *child)
{
	while (child->result >= 0 || child->words >= 0) {
		struct pollfd ready[] = {
			{.fd = child->result, .events = POLLIN},
			{.fd = child->words, .events = POLLIN},
			{.fd = apart->answer ? apart->asks : -1, .events = POLLIN},
		};

		if (poll(ready, COUNT_OF(ready), -1) < 0)
			continue;
		if (ready[1].revents && !take_words(apart, child)) {
			own_close(&child->words);
			child->words = -1;
		}
		if (ready[2].revents &&
		    (!(ready[2].revents & POLLIN) || !apart->answer(apart->arg)))
			apart->answer = NULL;
		if (ready[0].revents && !take_result(apart, child)) {
			own_close(&child->result);
			child->result = -1;
		}
	}
}

/* What stands behind "firn: " of the line that it could not say. */
static void say_kept(const struct apart *apart, struct verdict *verdict)
{
	char *text = verdict->said;

	verdict->said[sizeof(verdict->said) - 1] = 0;
	text[strcspn(text, "\n")] = 0;
	if (strncmp(text, "firn: ", 6) == 0)
		log_info("'%s': %s", apart->what, text + 6);
}

static int judge(const struct apart *apart, struct child *child, int status, struct err *err)
{
	struct verdict *verdict = &child->verdict;

	if (WIFSIGNALED(status))
		return err_set(err,
			       "'%s' cannot be read: the process that read it was ended by "
			       "signal %d (%s)",
			       apart->what, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (child->got < sizeof(*verdict) ||
	    (verdict->result == 0 && child->got < sizeof(*verdict) + apart->size))
		return err_set(err, "'%s' cannot be read: the process that read it has ended",
			       apart->what);
	say_kept(apart, verdict);
	if (verdict->result == 0)
		return 0;
	/* Of a process that may be somebody else's by now. */
	verdict->err.text[sizeof(verdict->err.text) - 1] = 0;
	text_tame(verdict->err.text);
	*err = verdict->err;
	if (err->status < EXIT_FIRN_FAILED || err->status > EXIT_NOT_FOUND)
		err->status = 0;
	return -1;
}

int apart_run(struct apart *apart, struct err *err)
{
	struct child child = {.result = -1, .words = -1};
	int status = 0;

	if (log_level() >= LOG_VERBOSE && !apart->cage.require && cage_lacks())
		log_info("'%s' is read without %s, which this kernel lacks", apart->what,
			 cage_lacks());
	if (start(apart, &child, err) < 0)
		return -1;
	if (apart->begun)
		apart->begun(apart->arg);
	listen_to(apart, &child);
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(apart, &child, status, err);
}
