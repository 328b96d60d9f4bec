/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What workers say, and what the program is told of it. */
#include "runner/session/minder_private.h"

#include "lib/log.h"
#include "lib/own.h"

#include <limits.h>
#include <linux/fuse.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { COMPLAINTS_MAX = 3 };

/* Say @line on the standard error of the program, which is not ours: borrow it for one write. */
static void tell_program(const struct minder *minder, const char *line)
{
	struct pollfd ready = {.events = POLLOUT};
	struct iovec piece = {(void *)(uintptr_t)line, strlen(line)};
	auto_fd fd = -1;

	if (minder->stderr_of < 0)
		return;
	fd = (int)syscall(SYS_pidfd_getfd, minder->stderr_of, STDERR_FILENO, 0);
	ready.fd = fd;
	/* A full pipe must not stop us, for whom its reader may be waiting; others write to it,
	 * too. */
	if (fd < 0 || poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return;
	if (pwritev2(fd, &piece, 1, -1, RWF_NOWAIT) < 0 && errno == EOPNOTSUPP &&
	    writev(fd, &piece, 1) < 0)
		return;
}

static void tell_text(const struct minder *minder, const char *text)
{
	char line[ERR_TEXT_SIZE + 16];

	(void)snprintf(line, sizeof(line), "firn: %s\n", text);
	tell_program(minder, line);
}

/* Its end of the socket closes when it executes the program, or ends. */
bool minder_launcher_is_there(const struct minder *minder)
{
	struct pollfd end = {.fd = minder->launcher, .events = POLLRDHUP};

	return poll(&end, 1, 0) == 0 || !(end.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

/* One line about the container's files: for the launcher, or for the program that it has become. */
void minder_tell(struct minder *minder, const struct err *err)
{
	struct server_report *report = &minder->server.table->report;

	log_debug("supervisor: %s", err->text);
	if (minder_launcher_is_there(minder)) {
		if (atomic_load(&report->state) == 0) {
			memcpy(report->text, err->text, sizeof(report->text));
			atomic_store(&report->state, 1);
		}
		memcpy(minder->kept, err->text, sizeof(minder->kept));
		return;
	}
	tell_text(minder, err->text);
}

void minder_launched(struct minder *minder)
{
	/* One that has failed has said it, and is no more to be told anything. */
	if (minder->kept[0])
		tell_text(minder, minder->kept);
	minder->kept[0] = '\0';
}

/* What workers complain of, each thing once, and not too much. */
static void pass_on(struct minder *minder, const char *text)
{
	struct err err;

	(void)err_set(&err, "%s", text);
	if (minder->complaints >= COMPLAINTS_MAX || strcmp(minder->complaint, err.text) == 0)
		return;
	minder->complaints++;
	memcpy(minder->complaint, err.text, sizeof(minder->complaint));
	minder_tell(minder, &err);
}

/* The requests that are held get their error. */
static void let_go(struct minder *minder)
{
	struct fuse_out_header out = {.len = sizeof(out), .error = -EIO};

	while (minder->held_count > 0) {
		out.unique = minder->held[--minder->held_count];
		if (write(minder->device, &out, sizeof(out)) < 0)
			log_debug("supervisor: a request is gone: %s", strerror(errno));
	}
}

/* @where: "'PATH'" or "inode N". */
static void accuse(struct minder *minder, const char *where)
{
	struct err err;

	minder->blames = false;
	(void)err_set(&err, "%s of '%s' ends the mount server (%s): its readers get an error",
		      where, minder->server.image_name, minder->fault);
	minder_tell(minder, &err);
	let_go(minder);
}

void minder_accuse(struct minder *minder)
{
	const struct server_kind *kind = &minder->refused[minder->refused_count - 1];
	char where[64];

	(void)snprintf(where, sizeof(where), "inode %llu", (unsigned long long)kind->node);
	accuse(minder, where);
}

static void hear_word(struct minder *minder, const char *word)
{
	char where[ERR_TEXT_SIZE + 4];

	if (word[0] == SERVER_DAMAGE)
		pass_on(minder, word + 1);
	if (word[0] == SERVER_BLAME && minder->blames) {
		(void)snprintf(where, sizeof(where), "'%s'", word + 1);
		accuse(minder, where);
	}
}

/* All that was said. A worker can say anything: texts end where we say. */
static void hear_words(struct minder *minder)
{
	atomic_uint *heard = &minder->server.table->heard;
	char text[ERR_TEXT_SIZE + 2];
	ssize_t got;

	while ((got = read(minder->words[0], text, sizeof(text) - 1)) > 0) {
		text[got] = '\0';
		hear_word(minder, text);
		atomic_fetch_add(heard, 1);
		(void)syscall(SYS_futex, heard, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

static void hear_lines(struct minder *minder)
{
	char text[4096];
	ssize_t got;

	while (minder->lines[0] >= 0 && (got = read(minder->lines[0], text, sizeof(text))) > 0)
		if (write(STDERR_FILENO, text, (size_t)got) < 0)
			return;
}

void minder_hear(struct minder *minder)
{
	hear_words(minder);
	hear_lines(minder);
}
