/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/lease_private.h"

#include "lib/file.h"
#include "lib/size.h"
#include "lib/text.h"
#include "lib/wait.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LOOKS = 4, LOOK_MS = 50, RETRIES = 8, GENERATION_MAX = 1000000000 };

struct lease {
	int folder; /* borrowed */
	int file;
	char *name; /* of all generations */
	char file_name[NAME_MAX + 1];
	unsigned long number; /* of this one */
	char token[LEASE_TOKEN_SIZE];
	ino_t inode;
	struct lease_process process;
	struct lease_holder holder;
	struct lease_terms terms;
	unsigned long beat;
	bool is_remote; /* what is written here is seen elsewhere only once it is flushed */
	unsigned (*percent)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool beats, stop;
};

static int make_token(char out[LEASE_TOKEN_SIZE])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int lease_unique(char out[LEASE_TOKEN_SIZE + 1])
{
	out[0] = '.';
	return make_token(out + 1);
}

static bool is_remote(int fd)
{
	static const unsigned remote[] = {0x6969 /* NFS */,	 0x65735546 /* FUSE */,
					  0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */,
					  0x00c36400 /* Ceph */, 0x5346414f /* AFS */};
	struct statfs stat;

	if (fstatfs(fd, &stat) < 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(remote); i++)
		if ((unsigned)stat.f_type == remote[i])
			return true;
	return false;
}

/* What stands under @name now. Returns 0, or -1 with errno: ENOENT where nothing does. */
static int look(int folder, const char *name, struct lease_watch *out)
{
	auto_fd fd =
		openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat stat;
	ssize_t got = 0;

	*out = (struct lease_watch){.size = 0};
	if (fd >= 0 ? fstat(fd, &stat) < 0 : fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	out->inode = stat.st_ino;
	if (fd >= 0 && S_ISREG(stat.st_mode))
		got = file_read_at(fd, out->text, sizeof(out->text) - 1, 0);
	else /* nothing that can be read: whether it is written to shows all the same */
		got = snprintf(out->text, sizeof(out->text), "%lld.%ld %lld",
			       (long long)stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec,
			       (long long)stat.st_size);
	out->size = got > 0 ? (size_t)got : 0;
	out->text[out->size] = '\0';
	return 0;
}

static bool is_same(const struct lease_watch *a, const struct lease_watch *b)
{
	return a->inode == b->inode && a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* "NAME.NUMBER" of the generation @number. */
static void name_of(const char *name, unsigned long number, char out[NAME_MAX + 1])
{
	(void)snprintf(out, NAME_MAX + 1, "%s.%lu", name, number);
}

/* The number of @file if it is a generation of @name; 0: it is none. */
static unsigned long number_of(const char *file, const char *name)
{
	size_t len = strlen(name);
	uint64_t number;

	if (strncmp(file, name, len) != 0 || file[len] != '.' ||
	    number_parse(file + len + 1, GENERATION_MAX, &number) < 0)
		return 0;
	return (unsigned long)number;
}

static DIR *open_dir(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		(void)close(fd);
	return dir;
}

/* The latest generation of @name, whose holder is the holder; 0: there is none. -1 with errno. */
static long latest(int folder, const char *name)
{
	auto_dir *dir = open_dir(folder);
	struct dirent *entry;
	unsigned long most = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		unsigned long number = number_of(entry->d_name, name);

		most = number > most ? number : most;
	}
	return (long)most;
}

/* Those before @number are the dead's, as their heir has found out. */
static void remove_before(int folder, const char *name, unsigned long number)
{
	auto_dir *dir = open_dir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		unsigned long old = number_of(entry->d_name, name);

		if (old > 0 && old < number && unlinkat(folder, entry->d_name, 0) < 0 &&
		    errno == EISDIR)
			(void)unlinkat(folder, entry->d_name, AT_REMOVEDIR);
	}
}

/* Where there are no links: the text comes after the name, a moment in which the holder is nobody.
 */
static int make_in_place(struct lease *lease)
{
	int file = openat(lease->folder, lease->file_name,
			  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (file < 0)
		return errno == EEXIST ? 0 : -1;
	own_close(&lease->file);
	lease->file = file;
	return 1;
}

static int write_text(struct lease *lease)
{
	char text[LEASE_TEXT_SIZE];
	size_t size = lease_text_print(&lease->process, &lease->holder, lease->token, lease->beat++,
				       text);

	if (file_write_at(lease->file, text, size, 0) < 0)
		return -1;
	return lease->is_remote && fdatasync(lease->file) < 0 ? -1 : 0;
}

/* Give the file @hidden its name. Returns 1, 0 if there is one already, -1 with errno. */
static int link_it(struct lease *lease, const char *hidden)
{
	struct stat stat;

	if (linkat(lease->folder, hidden, lease->folder, lease->file_name, 0) == 0)
		return 1;
	/* A server that lost its answer has made the link, and says that it was there. */
	if (errno == EEXIST)
		return fstatat(lease->folder, hidden, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
		       stat.st_nlink == 2;
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
		return make_in_place(lease);
	return -1;
}

/* Returns 1, 0 if somebody else was first, -1 with errno. */
static int acquire(struct lease *lease)
{
	char hidden[LEASE_TOKEN_SIZE + 1];
	struct stat stat;
	int result, code;

	(void)snprintf(hidden, sizeof(hidden), ".%s", lease->token);
	lease->file = openat(lease->folder, hidden,
			     O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (lease->file < 0)
		return -1;
	(void)fchmod(lease->file, 0644); /* others of a group are to see who has it */
	lease->is_remote = is_remote(lease->file);
	result = write_text(lease) < 0 ? -1 : link_it(lease, hidden);
	code = errno;
	(void)unlinkat(lease->folder, hidden, 0);
	errno = code;
	if (result == 1 && (write_text(lease) < 0 || fstat(lease->file, &stat) < 0)) {
		code = errno;
		(void)unlinkat(lease->folder, lease->file_name, 0);
		errno = code;
		return -1;
	}
	if (result == 1)
		lease->inode = stat.st_ino;
	return result;
}

static void free_lease(struct lease *lease)
{
	own_close(&lease->file);
	free(lease->name);
	(void)pthread_mutex_destroy(&lease->lock);
	(void)pthread_cond_destroy(&lease->wake);
	free(lease);
}

static struct lease *make(int folder, const char *name, unsigned long number, const char *what,
			  const struct lease_terms *terms)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	pthread_condattr_t attributes;

	if (!lease)
		return NULL;
	lease->folder = folder;
	lease->file = -1;
	lease->number = number;
	name_of(name, number, lease->file_name);
	lease->terms = *terms;
	(void)pthread_mutex_init(&lease->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&lease->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	lease->name = strdup(name);
	if (!lease->name || make_token(lease->token) < 0) {
		free_lease(lease);
		return NULL;
	}
	lease_process_self(&lease->process);
	lease->holder.pid = lease->process.pid;
	if (gethostname(lease->holder.host, sizeof(lease->holder.host) - 1) < 0)
		lease->holder.host[0] = '\0';
	text_tame(lease->holder.host);
	(void)snprintf(lease->holder.what, sizeof(lease->holder.what), "%s", what);
	text_tame(lease->holder.what);
	return lease;
}

/*
 * Whether a lease that was just linked counts: the generation before it is still the one that was
 * judged dead, if there was one, and nobody has a later one. Its holder may have ended in good
 * order between our judgement and our link, and somebody else have begun anew.
 */
static bool counts(struct lease *lease, const struct lease_watch *judged)
{
	char before[NAME_MAX + 1];
	struct lease_watch now;

	name_of(lease->name, lease->number - 1, before);
	if (lease->number > 1 && (look(lease->folder, before, &now) < 0 || !is_same(&now, judged)))
		return false;
	return lease_holds(lease);
}

/* Take the generation @number, the heir of @judged. Returns 1, 0 if that is another's, or -1. */
static int take_over(int folder, const char *name, unsigned long number, const char *what,
		     const struct lease_terms *terms, const struct lease_watch *judged,
		     struct lease **out, struct err *err)
{
	struct lease *lease = make(folder, name, number, what, terms);
	int result = lease ? acquire(lease) : -1;

	if (result < 0)
		(void)err_sys(err, "cannot write the lease '%s'", name);
	if (result == 1 && !counts(lease, judged)) {
		lease_end(lease);
		return 0;
	}
	if (result == 1) {
		remove_before(folder, name, number);
		*out = lease;
	} else if (lease) {
		free_lease(lease);
	}
	return result;
}

/* Whether the holder of what was seen is to be taken for dead. */
static bool is_dead(const struct lease_watch *watch, const struct lease_terms *terms,
		    struct lease_holder *holder)
{
	char text[LEASE_TEXT_SIZE];
	struct lease_process process;

	memcpy(text, watch->text, sizeof(text));
	lease_text_parse(text, watch->size, &process, holder);
	holder->is_here = lease_process_is_here(&process);
	return wait_clock_ms() - watch->since_ms >= terms->dead_ms ||
	       lease_process_is_gone(&process);
}

int lease_try(int folder, const char *name, const char *what, const struct lease_terms *terms,
	      struct lease_watch *watch, struct lease **out, struct lease_holder *holder,
	      struct err *err)
{
	*holder = (struct lease_holder){.pid = 0};
	for (int i = 0; i < RETRIES; i++) {
		char file[NAME_MAX + 1];
		struct lease_watch now = {.size = 0};
		long number = latest(folder, name);
		int result;

		if (number < 0)
			return err_sys(err, "cannot look at the lease '%s'", name);
		name_of(name, (unsigned long)number, file);
		if (number > 0 && look(folder, file, &now) < 0) {
			if (errno != ENOENT)
				return err_sys(err, "cannot look at the lease '%s'", name);
			continue;
		}
		if (number > 0 && !is_same(&now, watch)) {
			*watch = now;
			watch->since_ms = wait_clock_ms();
		}
		if (number > 0 && !is_dead(watch, terms, holder))
			return 0;
		/* Nobody counts so far: it is nonsense. */
		if (number == GENERATION_MAX) {
			remove_before(folder, name, GENERATION_MAX + 1UL);
			continue;
		}
		result = take_over(folder, name, (unsigned long)number + 1, what, terms, watch, out,
				   err);
		if (result != 0)
			return result;
	}
	return 0;
}

void lease_sleep(const struct lease_holder *holder, long pause_ms)
{
	auto_fd process = holder->is_here ? (int)syscall(SYS_pidfd_open, holder->pid, 0) : -1;

	if (process >= 0)
		(void)wait_readable(process, pause_ms);
	else
		(void)poll(NULL, 0, (int)pause_ms);
}

const char *lease_token(const struct lease *lease)
{
	return lease->token;
}

void lease_fail(const struct lease *lease, const struct err *why)
{
	if (why)
		lease_failed_write(lease->folder, lease->name, lease->token, why->text);
	else
		lease_failed_clear(lease->folder, lease->name);
}

static void *beat(void *arg)
{
	struct lease *lease = arg;

	(void)pthread_mutex_lock(&lease->lock);
	while (!lease->stop) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += lease->terms.beat_ms % 1000 * 1000000;
		until.tv_sec += lease->terms.beat_ms / 1000 + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&lease->wake, &lease->lock, &until) != ETIMEDOUT)
			continue;
		if (lease->percent)
			lease->holder.percent = lease->percent(lease->arg);
		/* Into the file that was linked: who has lost the lease writes where nobody looks.
		 */
		(void)write_text(lease);
	}
	(void)pthread_mutex_unlock(&lease->lock);
	return NULL;
}

void lease_beat(struct lease *lease, unsigned (*percent)(void *arg), void *arg)
{
	lease->percent = percent;
	lease->arg = arg;
	lease->beats = pthread_create(&lease->thread, NULL, beat, lease) == 0;
}

void lease_calm(struct lease *lease)
{
	(void)pthread_mutex_lock(&lease->lock);
	lease->percent = NULL;
	(void)pthread_mutex_unlock(&lease->lock);
}

/* Whether what is under the name now is ours: with our token in it, and our inode. */
static bool is_ours(struct lease *lease)
{
	struct lease_watch now;

	return look(lease->folder, lease->file_name, &now) == 0 && now.inode == lease->inode &&
	       strstr(now.text, lease->token);
}

bool lease_holds(struct lease *lease)
{
	for (int i = 0; i < LOOKS; i++) {
		if (is_ours(lease) && latest(lease->folder, lease->name) == (long)lease->number)
			return true;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return false;
}

static void stop_beating(struct lease *lease)
{
	if (!lease->beats)
		return;
	(void)pthread_mutex_lock(&lease->lock);
	lease->stop = true;
	(void)pthread_cond_signal(&lease->wake);
	(void)pthread_mutex_unlock(&lease->lock);
	(void)pthread_join(lease->thread, NULL);
}

void lease_end(struct lease *lease)
{
	if (!lease)
		return;
	stop_beating(lease);
	if (is_ours(lease))
		(void)unlinkat(lease->folder, lease->file_name, 0);
	free_lease(lease);
}

void lease_endp(struct lease **lease)
{
	lease_end(*lease);
}
